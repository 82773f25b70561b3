using System.Runtime.InteropServices;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>Which QoS 2 messages from other nodes a durable session has had: of each source and shard all up to a number. Under the session's lock.</summary>
/// <remarks>Stored with the queue. What a source sends by one shard comes in order, so one number is enough, but for what could not be stored and is to come
/// again: that is remembered in memory only.</remarks>
internal sealed class SessionOrigins
{
    /// <summary>As many as a publisher has under way; of those that give up after a refusal, some would stay for ever.</summary>
    private const int MostRefused = 1_024;

    private readonly Dictionary<(long Source, int Shard), long> marks = [];
    private readonly Dictionary<(long Source, int Shard), SortedSet<long>> refused = [];

    public SessionOrigins(IEnumerable<OriginMark> stored)
    {
        foreach (var mark in stored) marks[(mark.Source, mark.Shard)] = mark.Number;
    }

    /// <summary>False if the session has had the message.</summary>
    public bool TryAdd(MessageOrigin origin, int shard)
    {
        ref var mark = ref CollectionsMarshal.GetValueRefOrAddDefault(marks, (origin.Source, shard), out _);
        if (mark >= origin.Number) return refused.TryGetValue((origin.Source, shard), out var numbers) && numbers.Remove(origin.Number);
        mark = origin.Number;
        return true;
    }

    /// <summary>The message could not be stored: it may come again, although others may have come after it.</summary>
    public void Refuse(MessageOrigin origin, int shard)
    {
        ref var numbers = ref CollectionsMarshal.GetValueRefOrAddDefault(refused, (origin.Source, shard), out _);
        numbers ??= [];
        numbers.Add(origin.Number);
        if (numbers.Count > MostRefused) numbers.Remove(numbers.Min);
    }
}
