namespace Broker.Grains.Routing;

/// <summary>One node of the <see cref="SubscriptionTrie"/>: 32 bytes, half a cache line.</summary>
internal struct TrieNode
{
    /// <summary>No routes end here.</summary>
    public const int NoRoutes = -1;

    /// <summary>The slot is unused.</summary>
    public const int FreeSlot = -1;

    /// <summary>The node above, or <see cref="FreeSlot"/>.</summary>
    public int Parent;

    /// <summary>Hash of the parent and the first level of the label: the key under which the parent finds this node.</summary>
    public uint Hash;

    /// <summary>The next node in the same bucket, or the next unused slot.</summary>
    public TrieLink Next;

    /// <summary>The single route's destination, or <see cref="NoRoutes"/>, or below that -2 minus the number of a <see cref="RouteSet"/>.</summary>
    public int Destination;

    /// <summary>How many children there are, and which wildcards are among them.</summary>
    public ChildSummary Children;

    /// <summary>The single route's id.</summary>
    public ulong Id;
}

/// <summary>Leads to a node from its bucket or from the node before it.</summary>
/// <param name="Node">The node's number; 0 ends the chain.</param>
/// <param name="Label">One level or several, joined by `/`: a handle into the <see cref="LabelArena"/>. It is here and not in the node so that both can
/// be fetched from memory at the same time: among a million filters each costs a cache miss.</param>
internal readonly record struct TrieLink(int Node, int Label);

/// <summary>The number of a node's children, and whether `+` or `#` begins one: saves looking for what is not there.</summary>
internal struct ChildSummary
{
    private const int PlusFlag = 1;
    private const int HashFlag = 2;
    private const int One = 4;

    private int packed;

    public readonly bool IsEmpty => packed == 0;

    public readonly bool HasPlus => (packed & PlusFlag) != 0;

    public readonly bool HasHash => (packed & HashFlag) != 0;

    /// <summary>True if a child begins with something else than a wildcard.</summary>
    public readonly bool HasLiteral => packed / One > (packed & PlusFlag) + (packed & HashFlag) / HashFlag;

    public void Add(ReadOnlySpan<byte> level) => packed += One + FlagFor(level);

    public void Remove(ReadOnlySpan<byte> level) => packed -= One + FlagFor(level);

    private static int FlagFor(ReadOnlySpan<byte> level) => level is [(byte)'+'] ? PlusFlag : level is [(byte)'#'] ? HashFlag : 0;
}
