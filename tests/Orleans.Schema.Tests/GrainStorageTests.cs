using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Statehouse.OrleansTables.Tests;

/// <summary>Orleans' AdoNet grain storage on our schema: each of its operations.</summary>
public sealed class GrainStorageTests(OrleansDatabase database) : ProviderTest(database)
{
    private const string StateName = "state";

    private readonly GrainId _grain = GrainId.Create("tests.counter", NewName());

    [Theory]
    [InlineData(OrleansDatabase.Clearing)]
    [InlineData(OrleansDatabase.Deleting)]
    public async Task A_state_that_was_never_written_does_not_exist_and_clearing_it_does_nothing(string storage)
    {
        GrainState<CounterState> state = await ReadAsync(storage);
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);

        await Storage(storage).ClearStateAsync(StateName, _grain, state);

        Assert.Null((await ReadAsync(storage)).ETag);
    }

    [Fact]
    public async Task Writes_are_read_back_each_under_a_new_ETag()
    {
        var state = new GrainState<CounterState>(new CounterState { Count = 1, Name = "ä\u0000\"" });
        await WriteAsync(state);
        string? first = state.ETag;
        state.State!.Count = 2;
        await WriteAsync(state);

        GrainState<CounterState> read = await ReadAsync();

        Assert.NotEqual(first, state.ETag);
        Assert.Equal((2, "ä\u0000\"", state.ETag, true), (read.State!.Count, read.State!.Name, read.ETag, read.RecordExists));
    }

    [Fact]
    public async Task A_write_on_a_state_that_another_one_replaced_is_inconsistent_and_changes_nothing()
    {
        await WriteAsync(new GrainState<CounterState>(new CounterState { Count = 1 }));
        GrainState<CounterState> mine = await ReadAsync();
        GrainState<CounterState> theirs = await ReadAsync();
        theirs.State!.Count = 2;
        await WriteAsync(theirs);
        mine.State!.Count = 3;

        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(mine));

        Assert.Equal(2, (await ReadAsync()).State!.Count);
    }

    [Fact]
    public async Task Of_eight_first_writes_at_once_one_goes_in_and_the_others_are_inconsistent()
    {
        bool[] wentIn = await Task.WhenAll(Enumerable.Range(1, 8).Select(i => Task.Run(
            () => TryWriteAsync(new GrainState<CounterState>(new CounterState { Count = i })), Cancellation)));

        int winner = Assert.Single(Enumerable.Range(0, 8), i => wentIn[i]);
        Assert.Equal(winner + 1, (await ReadAsync()).State!.Count);
    }

    [Fact]
    public async Task A_cleared_state_does_not_exist_but_keeps_an_ETag_to_go_on_from()
    {
        var state = new GrainState<CounterState>(new CounterState { Count = 1 });
        await WriteAsync(state);
        string? written = state.ETag;
        await Storage().ClearStateAsync(StateName, _grain, state);

        GrainState<CounterState> read = await ReadAsync();
        Assert.Equal((0, false, state.ETag), (read.State!.Count, read.RecordExists, read.ETag));
        Assert.NotEqual(written, read.ETag);

        read.State!.Count = 5;
        await WriteAsync(read);
        Assert.Equal(5, (await ReadAsync()).State!.Count);
    }

    [Fact]
    public async Task A_deleted_state_leaves_no_ETag_and_can_be_written_anew()
    {
        var state = new GrainState<CounterState>(new CounterState { Count = 1 });
        await WriteAsync(state, OrleansDatabase.Deleting);
        await Storage(OrleansDatabase.Deleting).ClearStateAsync(StateName, _grain, state);

        Assert.Null(state.ETag);
        Assert.Null((await ReadAsync(OrleansDatabase.Deleting)).ETag);
        state.State!.Count = 2;
        await WriteAsync(state, OrleansDatabase.Deleting);
        Assert.Equal(2, (await ReadAsync(OrleansDatabase.Deleting)).State!.Count);
    }

    [Theory]
    [InlineData(OrleansDatabase.Clearing)]
    [InlineData(OrleansDatabase.Deleting)]
    public async Task Clearing_a_state_that_another_one_replaced_is_inconsistent_and_changes_nothing(string storage)
    {
        await WriteAsync(new GrainState<CounterState>(new CounterState { Count = 1 }), storage);
        GrainState<CounterState> mine = await ReadAsync(storage);
        GrainState<CounterState> theirs = await ReadAsync(storage);
        theirs.State!.Count = 2;
        await WriteAsync(theirs, storage);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage(storage).ClearStateAsync(StateName, _grain, mine));

        Assert.Equal(2, (await ReadAsync(storage)).State!.Count);
    }

    [Fact]
    public async Task An_ETag_from_before_a_deletion_does_not_fit_the_state_that_was_written_after_it()
    {
        await WriteAsync(new GrainState<CounterState>(new CounterState { Count = 1 }), OrleansDatabase.Deleting);
        GrainState<CounterState> before = await ReadAsync(OrleansDatabase.Deleting);
        await Storage(OrleansDatabase.Deleting).ClearStateAsync(StateName, _grain, await ReadAsync(OrleansDatabase.Deleting));
        await WriteAsync(new GrainState<CounterState>(new CounterState { Count = 2 }), OrleansDatabase.Deleting);

        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(before, OrleansDatabase.Deleting));

        Assert.Equal(2, (await ReadAsync(OrleansDatabase.Deleting)).State!.Count);
    }

    [Fact]
    public async Task Every_kind_of_grain_key_names_a_state_of_its_own()
    {
        Guid guid = Guid.NewGuid();
        IdSpan[] keys =
        [
            GrainIdKeyExtensions.CreateIntegerKey(5), GrainIdKeyExtensions.CreateIntegerKey(-5),
            GrainIdKeyExtensions.CreateIntegerKey(5, "more"), GrainIdKeyExtensions.CreateIntegerKey(5, "More"),
            GrainIdKeyExtensions.CreateGuidKey(guid), GrainIdKeyExtensions.CreateGuidKey(guid, "more"),
            IdSpan.Create("some text"), IdSpan.Create("some text "), IdSpan.Create(new string('n', 640)),
        ];
        // The provider names a row by the state's name and the grain's key: the grain's type is no part of it.
        string stateName = NewName();
        for (int i = 0; i < keys.Length; i++)
            await Storage().WriteStateAsync(stateName, GrainId.Create(_grain.Type, keys[i]), new GrainState<CounterState>(new CounterState { Count = i }));

        for (int i = 0; i < keys.Length; i++)
        {
            var read = new GrainState<CounterState>();
            await Storage().ReadStateAsync(stateName, GrainId.Create(_grain.Type, keys[i]), read);
            Assert.Equal(i, read.State!.Count);
        }
    }

    private IGrainStorage Storage(string name = OrleansDatabase.Clearing) => Database.Services.GetRequiredKeyedService<IGrainStorage>(name);

    private async Task<GrainState<CounterState>> ReadAsync(string storage = OrleansDatabase.Clearing)
    {
        var state = new GrainState<CounterState>();
        await Storage(storage).ReadStateAsync(StateName, _grain, state);
        return state;
    }

    private Task WriteAsync(GrainState<CounterState> state, string storage = OrleansDatabase.Clearing) =>
        Storage(storage).WriteStateAsync(StateName, _grain, state);

    private async Task<bool> TryWriteAsync(GrainState<CounterState> state)
    {
        try
        {
            await WriteAsync(state);
            return true;
        }
        catch (InconsistentStateException)
        {
            return false;
        }
    }
}
