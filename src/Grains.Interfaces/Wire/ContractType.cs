using System.Collections.Frozen;
using Orleans.Serialization.Codecs;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>A type of the contract, its name on the wire and its fields.</summary>
internal abstract class ContractType(Type type, string alias)
{
    /// <summary>Every type that a grain call of ours may carry by itself. What only stands inside one need not be here, but may.</summary>
    public static readonly FrozenDictionary<Type, ContractType> All = new ContractType[]
    {
        new ContractType<AgentCommitRequest>("AgentCommitRequest", CommitFields.Write, CommitFields.ReadAgentCommitRequest),
        new ContractType<AgentHead>("AgentHead", ReadFields.Write, ReadFields.ReadAgentHead),
        new ContractType<AgentId>("AgentId", ValueFields.Write, ValueFields.ReadAgentId),
        new ContractType<AgentVersion>("AgentVersion", ValueFields.Write, ValueFields.ReadAgentVersion),
        new ContractType<CommitHash>("CommitHash", ValueFields.Write, ValueFields.ReadCommitHash),
        new ContractType<CommitReceipt>("CommitReceipt", CommitFields.Write, CommitFields.ReadCommitReceipt),
        new ContractType<CommitRequest>("CommitRequest", CommitFields.Write, CommitFields.ReadCommitRequest),
        new ContractType<CommitTime>("CommitTime", ValueFields.Write, ValueFields.ReadCommitTime),
        new ContractType<CommitTs>("CommitTs", ValueFields.Write, ValueFields.ReadCommitTs),
        new ContractType<GetRequest>("GetRequest", ReadFields.Write, ReadFields.ReadGetRequest),
        new ContractType<HeldAgent>("HeldAgent", HoldFields.Write, HoldFields.ReadHeldAgent),
        new ContractType<HistoryPage>("HistoryPage", HistoryFields.Write, HistoryFields.ReadHistoryPage),
        new ContractType<HistoryRequest>("HistoryRequest", HistoryFields.Write, HistoryFields.ReadHistoryRequest),
        new ContractType<HoldEnd>("HoldEnd", HoldFields.Write, HoldFields.ReadHoldEnd),
        new ContractType<HoldRequest>("HoldRequest", HoldFields.Write, HoldFields.ReadHoldRequest),
        new ContractType<IndexRow>("IndexRow", IndexFields.Write, IndexFields.ReadIndexRow),
        new ContractType<JournalCommit>("JournalCommit", HistoryFields.Write, HistoryFields.ReadJournalCommit),
        new ContractType<JsonText>("JsonText", ValueFields.Write, ValueFields.ReadJsonText),
        new ContractType<Key>("Key", ValueFields.Write, ValueFields.ReadKey),
        new ContractType<KeyState>("KeyState", ReadFields.Write, ReadFields.ReadKeyState),
        new ContractType<KeyVersion>("KeyVersion", ValueFields.Write, ValueFields.ReadKeyVersion),
        new ContractType<Operation>("Operation", CommitFields.Write, CommitFields.ReadOperation),
        new ContractType<ReadCheck>("ReadCheck", CommitFields.Write, CommitFields.ReadReadCheck),
        new ContractType<ReadPoint>("ReadPoint", ValueFields.Write, ValueFields.ReadReadPoint),
        new ContractType<ScanPage>("ScanPage", ReadFields.Write, ReadFields.ReadScanPage),
        new ContractType<ScanRequest>("ScanRequest", ReadFields.Write, ReadFields.ReadScanRequest),
    }.ToFrozenDictionary(contract => contract.Type);

    public Type Type { get; } = type;

    /// <summary>Its name on the wire, where a name is needed: in the types of answers, and for an item of a stream. Never change one.</summary>
    public string Alias { get; } = "statehouse." + alias;

    /// <param name="jsonDepthMax">Levels of nesting allowed in JSON that goes into a journal.</param>
    public abstract IFieldCodec CreateCodec(int jsonDepthMax);
}

internal sealed class ContractType<T>(string alias, FieldsWriter<T> write, FieldsReader<T> read) : ContractType(typeof(T), alias)
{
    public FieldsWriter<T> Write { get; } = write;

    public FieldsReader<T> Read { get; } = read;

    public override IFieldCodec CreateCodec(int jsonDepthMax) => new RecordCodec<T>(Write, Read, jsonDepthMax);
}
