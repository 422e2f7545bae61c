using System.Buffers.Binary;

namespace Statehouse.Journal.Sqlite.Opening;

/// <summary>
/// Looks at the write-ahead file before SQLite does. SQLite reads it up to the first frame whose checksum is wrong and drops
/// the rest without a word: right for the torn end that a power failure leaves, and wrong for damage in front of commits that
/// were acknowledged long ago.
/// </summary>
/// <remarks>
/// The two can be told apart: every transaction is synced before the next one is written (synchronous = full), so only the
/// last one can be torn. Where a whole transaction of the same life of the file (the same salts) follows behind the end of
/// the one that holds the bad frame, that one had been synced, and acknowledged.
/// Source: https://www.sqlite.org/fileformat2.html, "The Write-Ahead Log".
/// </remarks>
internal sealed class WalFile
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const int PageBytes = 4096;
    private const int FrameBytes = FrameHeaderBytes + PageBytes;
    private const uint MagicLittleEndian = 0x377F0682;
    private const uint MagicBigEndian = 0x377F0683;

    private readonly string _path;
    private readonly Stream _file;
    private readonly byte[] _header = new byte[HeaderBytes];
    private readonly byte[] _frame = new byte[FrameBytes];
    private bool _isBigEndian;
    private uint _sum1;
    private uint _sum2;

    private WalFile(string path, Stream file)
    {
        _path = path;
        _file = file;
    }

    /// <exception cref="JournalOpenException">It is damaged before its end, or cannot be read.</exception>
    public static void Check(string path)
    {
        if (!File.Exists(path))
            return;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1 << 18);
            new WalFile(path, file).Check();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalOpenException($"The journal's {path} cannot be read: {error.Message}", error);
        }
    }

    private void Check()
    {
        // Shorter than a frame: nothing was ever committed through it.
        if (_file.Length < HeaderBytes + FrameBytes || _file.ReadAtLeast(_header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes)
            return;
        // Zeros: the file had been made longer when the power failed, and no more.
        if (!_header.AsSpan().ContainsAnyExcept((byte)0))
            return;
        if (!IsHeaderSound())
            throw Damaged(0);
        long lastSound = HeaderBytes;
        while (ReadFrame())
        {
            if (!IsFrameSound())
            {
                CheckBehind(lastSound);
                return;
            }
            if (IsCommit)
                lastSound = _file.Position;
        }
    }

    /// <summary>A frame is bad: is it of the last transaction, which may be torn?</summary>
    private void CheckBehind(long lastSound)
    {
        // Whether this frame and all before it, back to the end of a transaction, follow on each other. Frames of a
        // transaction that was rolled back can lie behind the last one, but they do not follow on it.
        bool isUnbroken = false;
        do
        {
            bool follows = isUnbroken && HasOurSalts && FollowsOnLast();
            if (follows && IsCommit)
                throw Damaged(lastSound);
            isUnbroken = follows || (HasOurSalts && IsCommit);
            _sum1 = BinaryPrimitives.ReadUInt32BigEndian(_frame.AsSpan(FrameHeaderBytes - 8));
            _sum2 = BinaryPrimitives.ReadUInt32BigEndian(_frame.AsSpan(FrameHeaderBytes - 4));
        }
        while (ReadFrame());
    }

    private bool IsCommit => BinaryPrimitives.ReadUInt32BigEndian(_frame.AsSpan(4)) != 0;

    /// <summary>Frames of an earlier life of the file, which were moved into the database, have others.</summary>
    private bool HasOurSalts => _frame.AsSpan(8, 8).SequenceEqual(_header.AsSpan(16, 8));

    private bool ReadFrame() => _file.ReadAtLeast(_frame, FrameBytes, throwOnEndOfStream: false) == FrameBytes;

    private bool IsHeaderSound()
    {
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(_header);
        _isBigEndian = magic == MagicBigEndian;
        Add(_header.AsSpan(0, HeaderBytes - 8));
        return magic is MagicLittleEndian or MagicBigEndian
            && BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(8)) == PageBytes
            && IsSum(_header.AsSpan(HeaderBytes - 8));
    }

    private bool IsFrameSound() => HasOurSalts && FollowsOnLast();

    /// <summary>Whether the frame's checksum is the running one with the frame added.</summary>
    private bool FollowsOnLast()
    {
        Add(_frame.AsSpan(0, 8));
        Add(_frame.AsSpan(FrameHeaderBytes));
        return IsSum(_frame.AsSpan(FrameHeaderBytes - 8, 8));
    }

    private bool IsSum(ReadOnlySpan<byte> stored) =>
        BinaryPrimitives.ReadUInt32BigEndian(stored) == _sum1 && BinaryPrimitives.ReadUInt32BigEndian(stored[4..]) == _sum2;

    /// <summary>The running checksum of all that came so far, over words in the order that the header names.</summary>
    private void Add(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i += 8)
        {
            _sum1 += Word(bytes[i..]) + _sum2;
            _sum2 += Word(bytes[(i + 4)..]) + _sum1;
        }
    }

    private uint Word(ReadOnlySpan<byte> bytes) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private JournalOpenException Damaged(long lastSound) => new(
        $"The journal cannot be opened: its {_path} is damaged behind byte {lastSound}, in front of commits that were acknowledged; "
        + $"restore both files from a backup, or, without one, keep what is before it with: truncate -s {lastSound} {_path}");
}
