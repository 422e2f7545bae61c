namespace Statehouse.Cli;

/// <summary>A file that appears whole or not at all: written beside its place, made durable, then moved there.</summary>
internal sealed class PartialFile : IDisposable
{
    private readonly string _place;
    private readonly string _partial;
    private readonly FileStream _stream;
    private bool _isWhole;

    /// <exception cref="CommandFailure">Usage: the file cannot be written.</exception>
    public PartialFile(string place)
    {
        _place = Path.GetFullPath(place);
        _partial = $"{_place}.partial-{Environment.ProcessId}";
        if (Directory.Exists(_place))
            throw CommandFailure.Usage($"cannot write {place}: it is a folder.");
        try
        {
            _stream = new FileStream(_partial, FileMode.Create, FileAccess.Write);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Usage($"cannot write {place}: {error.Message}");
        }
        Out = new OutputWriter(_stream, isTerminal: false);
    }

    public OutputWriter Out { get; }

    /// <summary>Puts the file in its place, over one that may be there.</summary>
    public void Complete()
    {
        Out.Flush();
        _stream.Flush(flushToDisk: true);
        Out.Dispose();
        File.Move(_partial, _place, overwrite: true);
        _isWhole = true;
    }

    public void Dispose()
    {
        if (_isWhole)
            return;
        Out.Dispose();
        File.Delete(_partial);
    }
}
