using System.Numerics;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Routing;

/// <summary>The nodes of a <see cref="SubscriptionTrie"/> and the table that finds a child by its parent and first level.</summary>
/// <remarks>
/// Nodes lie in chunks of 32 KiB: growing copies nothing, and a freed slot is used again. The table is a linear hash table (Litwin 1980):
/// instead of doubling at once it gains one bucket with every node, splitting the one bucket that feeds it, so ten million nodes never wait
/// for a rehash. With 5 buckets a hash ending in …101 would go to bucket 5, which does not exist yet, and goes to 1 (…01) instead; the sixth
/// bucket is made by moving out of bucket 1 the nodes whose hash ends in …101.
/// </remarks>
internal sealed class TrieNodes
{
    public const int Root = 0;

    private const int NodeBits = 10;
    private const int BucketBits = 12;
    private const int MinBuckets = 16;

    private readonly List<TrieNode[]> chunks = [];
    private readonly List<TrieLink[]> buckets = [];
    private readonly LabelArena labels = new();
    private int bucketCount;
    private uint bucketMask;
    private int firstFree;

    public TrieNodes() => Clear();

    /// <summary>Nodes in use, the root among them.</summary>
    public int Count { get; private set; }

    /// <summary>Slots ever used: every node's number is below this.</summary>
    public int Slots { get; private set; }

    public ref TrieNode this[int node] => ref chunks[node >> NodeBits][node & ((1 << NodeBits) - 1)];

    /// <summary>The label of a node; valid until the node is removed or relabelled.</summary>
    public ReadOnlySpan<byte> LabelOf(int node) => labels[LinkTo(node).Label];

    /// <summary>The child whose label begins with this level, or 0.</summary>
    /// <param name="label">The child's label; valid until the node is removed or relabelled.</param>
    public int Find(int parent, ReadOnlySpan<byte> level, out ReadOnlySpan<byte> label)
    {
        var hash = HashOf(parent, level);
        for (var link = Bucket(hash); link.Node != 0;)
        {
            label = labels[link.Label];
            ref var node = ref this[link.Node];
            if (node.Hash == hash && node.Parent == parent && FirstLevelIs(label, level)) return link.Node;
            link = node.Next;
        }

        label = default;
        return 0;
    }

    /// <summary>A new node without routes.</summary>
    public int Add(int parent, ReadOnlySpan<byte> label)
    {
        var node = TakeSlot();
        this[node] = new TrieNode { Destination = TrieNode.NoRoutes };
        Link(node, parent, label);
        if (++Count > bucketCount) AddBucket();
        return node;
    }

    /// <summary>Removes a node that has neither children nor routes.</summary>
    public void Remove(int node)
    {
        Unlink(node);
        this[node] = new TrieNode { Parent = TrieNode.FreeSlot, Next = new TrieLink(firstFree, 0) };
        firstFree = node;
        if (--Count == 1) Clear();
        else while (bucketCount > MinBuckets && Count < bucketCount / 2) DropBucket();
    }

    /// <summary>Cuts a node's label in two: a new node above takes the first <paramref name="bytes"/>, the node keeps its children, routes and
    /// what follows the separator.</summary>
    /// <returns>The new node.</returns>
    public int Split(int node, int bytes)
    {
        var whole = LabelOf(node).ToArray();
        var parent = this[node].Parent;
        Unlink(node);
        var upper = Add(parent, whole.AsSpan(0, bytes));
        Link(node, upper, whole.AsSpan(bytes + 1));
        return upper;
    }

    private static bool FirstLevelIs(ReadOnlySpan<byte> label, ReadOnlySpan<byte> level) =>
        label.StartsWith(level) && (label.Length == level.Length || label[level.Length] == TopicLevels.Separator);

    private static uint HashOf(int parent, ReadOnlySpan<byte> level) => (uint)SeededHash.Of(level, parent);

    private int TakeSlot()
    {
        if (firstFree != 0)
        {
            var node = firstFree;
            firstFree = this[node].Next.Node;
            return node;
        }

        if (Slots == chunks.Count << NodeBits) chunks.Add(new TrieNode[1 << NodeBits]);
        return Slots++;
    }

    /// <summary>Makes a node findable: under its parent, by the first level of its label, which is copied.</summary>
    private void Link(int node, int parent, ReadOnlySpan<byte> label)
    {
        var level = TopicLevels.Prefix(label, 1);
        ref var linked = ref this[node];
        linked.Parent = parent;
        linked.Hash = HashOf(parent, level);
        ref var head = ref Bucket(linked.Hash);
        linked.Next = head;
        head = new TrieLink(node, labels.Store(label));
        this[parent].Children.Add(level);
    }

    private void Unlink(int node)
    {
        ref var link = ref LinkTo(node);
        this[this[node].Parent].Children.Remove(TopicLevels.Prefix(labels[link.Label], 1));
        labels.Release(link.Label);
        link = this[node].Next;
    }

    private ref TrieLink LinkTo(int node)
    {
        ref var link = ref Bucket(this[node].Hash);
        while (link.Node != node) link = ref this[link.Node].Next;
        return ref link;
    }

    private ref TrieLink Bucket(uint hash)
    {
        var at = hash & bucketMask;
        if (at >= bucketCount) at &= bucketMask >> 1;
        return ref BucketAt((int)at);
    }

    private ref TrieLink BucketAt(int at) => ref buckets[at >> BucketBits][at & ((1 << BucketBits) - 1)];

    private void AddBucket()
    {
        if (bucketCount == buckets.Count << BucketBits) buckets.Add(new TrieLink[1 << BucketBits]);
        var at = BucketAt(FeederOf(bucketCount));
        SetBucketCount(bucketCount + 1);
        BucketAt(FeederOf(bucketCount - 1)) = default;
        Distribute(at);
    }

    private void DropBucket()
    {
        var at = BucketAt(bucketCount - 1);
        BucketAt(bucketCount - 1) = default;
        SetBucketCount(bucketCount - 1);
        Distribute(at);

        if (bucketCount <= (buckets.Count - 1) << BucketBits) buckets.RemoveAt(buckets.Count - 1);
    }

    /// <summary>Puts each node of a chain into the bucket where it belongs now.</summary>
    private void Distribute(TrieLink link)
    {
        while (link.Node != 0)
        {
            ref var node = ref this[link.Node];
            ref var head = ref Bucket(node.Hash);
            (link, node.Next, head) = (node.Next, head, link);
        }
    }

    /// <summary>The bucket that held what belongs into this one while this one did not exist: its number without the highest bit.</summary>
    private static int FeederOf(int bucket) => bucket & (int)(BitOperations.RoundUpToPowerOf2((uint)bucket + 1) / 2 - 1);

    private void SetBucketCount(int count)
    {
        bucketCount = count;
        bucketMask = BitOperations.RoundUpToPowerOf2((uint)count) - 1;
    }

    /// <summary>Back to a lone root; returns the memory.</summary>
    private void Clear()
    {
        chunks.Clear();
        buckets.Clear();
        labels.Clear();
        buckets.Add(new TrieLink[1 << BucketBits]);
        SetBucketCount(MinBuckets);
        chunks.Add(new TrieNode[1 << NodeBits]);
        chunks[0][Root] = new TrieNode { Destination = TrieNode.NoRoutes };
        firstFree = 0;
        Slots = Count = 1;
    }
}
