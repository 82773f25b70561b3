using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>Entries in the byte order of their topics, in blocks of up to 256.</summary>
/// <remarks>
/// Two levels instead of a tree: with a million topics the outer list has some 5,000 blocks, so a split moves 40 KB of references, once
/// in 128 insertions or more. Finding a place is two binary searches, O(log n); a full block splits in halves, except at the very end,
/// where topics that arrive in order would leave half-empty blocks behind.
/// </remarks>
internal sealed class TopicOrder<TValue>
    where TValue : class
{
    private const int BlockSize = 256;

    private readonly List<Block> blocks = [];

    /// <summary>A place in the order; valid until the next change.</summary>
    public readonly record struct Place(int Block, int At);

    /// <summary>The first place whose topic is not below <paramref name="key"/>, which may be the end.</summary>
    public Place Seek(ReadOnlySpan<byte> key)
    {
        var block = BlockFor(key);
        return block < 0 ? default : Settle(new Place(block, blocks[block].LowerBound(key, 0)));
    }

    /// <summary>The same, when the key is known to lie after a place: cheap when it is near.</summary>
    public Place SeekAfter(Place place, ReadOnlySpan<byte> key)
    {
        var block = blocks[place.Block];
        return key.SequenceCompareTo(block.Last.Topic.Utf8) <= 0 ? place with { At = block.LowerBound(key, place.At + 1) } : Seek(key);
    }

    /// <summary>The place that follows.</summary>
    public Place Next(Place place) => Settle(place with { At = place.At + 1 });

    /// <summary>The entry at a place; null at the end.</summary>
    public RetainedEntry<TValue>? this[Place place] => place.Block < blocks.Count ? blocks[place.Block][place.At] : null;

    /// <summary>Inserts an entry whose topic is not there yet.</summary>
    public void Insert(RetainedEntry<TValue> entry)
    {
        var key = entry.Topic.Utf8;
        var at = BlockFor(key);
        if (at < 0)
        {
            blocks.Add(new Block());
            at = 0;
        }

        var block = blocks[at];
        var position = block.LowerBound(key, 0);
        if (block.Count == BlockSize)
        {
            var upper = at == blocks.Count - 1 && position == BlockSize ? new Block() : block.SplitOff(BlockSize / 2);
            blocks.Insert(at + 1, upper);
            if (position >= block.Count) (block, position) = (upper, position - block.Count);
        }

        block.Insert(position, entry);
    }

    /// <summary>Removes the entry of a topic that is there; blocks that have become small are joined.</summary>
    public void Remove(TopicName topic)
    {
        var at = BlockFor(topic.Utf8);
        blocks[at].RemoveAt(blocks[at].LowerBound(topic.Utf8, 0));
        if (blocks[at].Count == 0) blocks.RemoveAt(at);
        else if (at + 1 < blocks.Count && blocks[at].Count + blocks[at + 1].Count <= BlockSize / 2) JoinWithNext(at);
        else if (at > 0 && blocks[at].Count + blocks[at - 1].Count <= BlockSize / 2) JoinWithNext(at - 1);
    }

    private void JoinWithNext(int at)
    {
        blocks[at].Append(blocks[at + 1]);
        blocks.RemoveAt(at + 1);
    }

    private Place Settle(Place place) => place.At < blocks[place.Block].Count ? place : new Place(place.Block + 1, 0);

    /// <summary>The last block that begins at or below the key; the first if none does; -1 if there are none.</summary>
    private int BlockFor(ReadOnlySpan<byte> key)
    {
        var low = 0;
        var high = blocks.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (blocks[middle][0].Topic.Utf8.SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }

        return low > 0 ? low - 1 : blocks.Count > 0 ? 0 : -1;
    }

    /// <summary>Up to 256 entries in order.</summary>
    private sealed class Block
    {
        private RetainedEntry<TValue>[] entries = new RetainedEntry<TValue>[4];

        public int Count { get; private set; }

        public RetainedEntry<TValue> Last => entries[Count - 1];

        public RetainedEntry<TValue> this[int at] => entries[at];

        public int LowerBound(ReadOnlySpan<byte> key, int low)
        {
            var high = Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (entries[middle].Topic.Utf8.SequenceCompareTo(key) < 0) low = middle + 1;
                else high = middle;
            }

            return low;
        }

        public void Insert(int at, RetainedEntry<TValue> entry)
        {
            Reserve(Count + 1);
            Array.Copy(entries, at, entries, at + 1, Count - at);
            entries[at] = entry;
            Count++;
        }

        public void RemoveAt(int at)
        {
            Count--;
            Array.Copy(entries, at + 1, entries, at, Count - at);
            entries[Count] = null!; // beyond Count nothing is read
        }

        public Block SplitOff(int at)
        {
            var upper = new Block { entries = new RetainedEntry<TValue>[BlockSize], Count = Count - at };
            Array.Copy(entries, at, upper.entries, 0, upper.Count);
            Array.Clear(entries, at, upper.Count);
            Count = at;
            return upper;
        }

        public void Append(Block other)
        {
            Reserve(Count + other.Count);
            Array.Copy(other.entries, 0, entries, Count, other.Count);
            Count += other.Count;
        }

        private void Reserve(int count)
        {
            if (count > entries.Length) Array.Resize(ref entries, Math.Min(BlockSize, Math.Max(count, entries.Length * 2)));
        }
    }
}
