namespace Statehouse.Agents.Model;

/// <summary>What an agent knows of one key. Immutable.</summary>
/// <param name="Key">Which key.</param>
/// <param name="Version">Operations ever applied to it.</param>
/// <param name="Value">Its JSON text; absent = a tombstone.</param>
/// <param name="Stamp">The commit that wrote this version.</param>
public sealed record KeyEntry(Key Key, KeyVersion Version, JsonText Value, CommitStamp Stamp)
{
    public bool IsLive => !Value.IsAbsent;

    /// <summary>What <see cref="Limits.StateBytesMax"/> counts for this key.</summary>
    public long Bytes => Key.Length + Value.Length;
}

/// <summary>
/// The keys of an agent in byte order: an immutable AVL tree. A put copies the path to one entry (about log2(n)
/// nodes) and shares the rest, so that confirmed, tentative and "as of" states cost next to nothing beside each other.
/// </summary>
/// <remarks>
/// Not <c>ImmutableSortedDictionary</c>: that one cannot start an enumeration at a key, so each page of a scan would
/// walk the map from its beginning.
/// </remarks>
public sealed class KeyMap
{
    public static readonly KeyMap Empty = new(null);

    private readonly Node? _root;

    private KeyMap(Node? root) => _root = root;

    public KeyEntry? Find(Key key)
    {
        Node? node = _root;
        while (node is not null)
        {
            int order = key.CompareTo(node.Entry.Key);
            if (order == 0)
                return node.Entry;
            node = order < 0 ? node.Left : node.Right;
        }
        return null;
    }

    /// <summary>The map with this entry in the place of the one with the same key, if any.</summary>
    public KeyMap With(KeyEntry entry) => new(Put(_root, entry));

    /// <summary>A map from entries that are in byte order already; O(n).</summary>
    public static KeyMap FromSorted(IReadOnlyList<KeyEntry> entries) => new(Build(entries, 0, entries.Count));

    /// <summary>All entries in byte order, tombstones too.</summary>
    public IEnumerable<KeyEntry> All() => From(default, inclusive: true);

    /// <summary>Entries from a key on, in byte order, tombstones too.</summary>
    public IEnumerable<KeyEntry> From(Key start, bool inclusive)
    {
        var path = new Stack<Node>();
        for (Node? node = _root; node is not null;)
        {
            int order = start.CompareTo(node.Entry.Key);
            if (order < 0 || (order == 0 && inclusive))
            {
                path.Push(node);
                node = node.Left;
            }
            else
            {
                node = node.Right;
            }
        }

        while (path.TryPop(out Node? next))
        {
            yield return next.Entry;
            for (Node? node = next.Right; node is not null; node = node.Left)
                path.Push(node);
        }
    }

    private static Node Put(Node? node, KeyEntry entry)
    {
        if (node is null)
            return new Node(entry, null, null);
        int order = entry.Key.CompareTo(node.Entry.Key);
        if (order == 0)
            return new Node(entry, node.Left, node.Right);
        return order < 0
            ? Balance(node.Entry, Put(node.Left, entry), node.Right)
            : Balance(node.Entry, node.Left, Put(node.Right, entry));
    }

    private static Node Balance(KeyEntry entry, Node? left, Node? right)
    {
        int lean = Node.HeightOf(left) - Node.HeightOf(right);
        if (lean > 1)
        {
            return Node.HeightOf(left!.Left) >= Node.HeightOf(left.Right)
                ? new Node(left.Entry, left.Left, new Node(entry, left.Right, right))
                : new Node(left.Right!.Entry, new Node(left.Entry, left.Left, left.Right.Left), new Node(entry, left.Right.Right, right));
        }
        if (lean < -1)
        {
            return Node.HeightOf(right!.Right) >= Node.HeightOf(right.Left)
                ? new Node(right.Entry, new Node(entry, left, right.Left), right.Right)
                : new Node(right.Left!.Entry, new Node(entry, left, right.Left.Left), new Node(right.Entry, right.Left.Right, right.Right));
        }
        return new Node(entry, left, right);
    }

    private static Node? Build(IReadOnlyList<KeyEntry> entries, int from, int to)
    {
        if (from == to)
            return null;
        int middle = from + (to - from) / 2;
        return new Node(entries[middle], Build(entries, from, middle), Build(entries, middle + 1, to));
    }

    private sealed class Node(KeyEntry entry, Node? left, Node? right)
    {
        public readonly KeyEntry Entry = entry;
        public readonly Node? Left = left;
        public readonly Node? Right = right;
        private readonly byte _height = (byte)(1 + Math.Max(HeightOf(left), HeightOf(right)));

        public static int HeightOf(Node? node) => node?._height ?? 0;
    }
}
