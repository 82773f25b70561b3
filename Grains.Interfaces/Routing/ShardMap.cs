using System.IO.Hashing;
using System.Text;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Routing;

/// <summary>Which shard a topic or filter belongs to. The same answer in every process and version: it decides where things are stored.</summary>
/// <param name="shards">How many shards there are.</param>
/// <param name="levels">How many leading levels decide.</param>
public sealed class ShardMap(int shards, int levels)
{
    /// <summary>Says that a filter lives in every shard.</summary>
    public const int EveryShard = -1;

    /// <summary>How many shards there are.</summary>
    public int Count => shards;

    /// <summary>The shard of a topic, from 0.</summary>
    public int ShardOf(TopicName topic) => ShardOf(topic.Utf8);

    /// <summary>The shard of a filter whose deciding levels are literal; <see cref="EveryShard"/> for a broad one.</summary>
    /// <remarks>`a/#` with two deciding levels is broad: it matches `a/b` and `a/c`, which may live in different shards.</remarks>
    public int ShardOf(in TopicFilter filter)
    {
        Span<byte> small = stackalloc byte[256];
        var path = filter.Path;
        var utf8 = path.Length * 3 <= small.Length ? small[..Encoding.UTF8.GetBytes(path, small)] : Encoding.UTF8.GetBytes(path);
        return TopicLevels.Prefix(utf8, levels).IndexOfAny((byte)'+', (byte)'#') >= 0 ? EveryShard : ShardOf(utf8);
    }

    /// <summary>The shard that decides who may hold an exclusive filter: its own, and for a broad one that of its whole text.</summary>
    public int DecidingShardOf(in TopicFilter filter) => ShardOf(filter) is var home && home == EveryShard ? PartitionOf(filter.Text) : home;

    /// <summary>The partition, from 0, of anything that is keyed by text, such as a client identifier.</summary>
    public int PartitionOf(string key)
    {
        Span<byte> small = stackalloc byte[256];
        return Reduce(key.Length * 3 <= small.Length ? small[..Encoding.UTF8.GetBytes(key, small)] : Encoding.UTF8.GetBytes(key));
    }

    private int ShardOf(ReadOnlySpan<byte> utf8) => Reduce(TopicLevels.Prefix(utf8, levels));

    private int Reduce(ReadOnlySpan<byte> key) => (int)(XxHash3.HashToUInt64(key) % (uint)shards);
}
