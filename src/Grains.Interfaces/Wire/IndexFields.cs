using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>The fields of how an agent can be found. The rule for their numbers stands at <see cref="ValueFields"/>.</summary>
internal static class IndexFields
{
    public static void Write(WireWriter writer, IndexRow value)
    {
        writer.Number(1, value.Status);
        writer.Name(2, "group", value.Group);
        if (!value.Labels.IsDefault)
        {
            foreach (string label in value.Labels)
                writer.Name(3, "labels", label);
        }
        writer.Number(4, value.StartedAt.UnixMicroseconds);
        if (value.DueAt is { } due)
            writer.NumberAlways(5, due.UnixMicroseconds);
        writer.Bytes(6, value.Summary.Span);
    }

    public static IndexRow ReadIndexRow(ref WireReader reader)
    {
        byte status = 0;
        string group = "";
        ImmutableArray<string>.Builder labels = ImmutableArray.CreateBuilder<string>(0);
        CommitTime startedAt = default;
        CommitTime? dueAt = null;
        byte[] summary = [];
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: status = reader.Enum(); break;
                case 2: group = reader.Text(); break;
                case 3: labels.Add(reader.Text()); break;
                case 4: startedAt = reader.CommitTime(); break;
                case 5: dueAt = reader.CommitTime(); break;
                case 6: summary = reader.Bytes().ToArray(); break;
                default: reader.Skip(); break;
            }
        }
        return new IndexRow(status, group, labels.DrainToImmutable(), startedAt, dueAt, summary);
    }
}
