using System.Runtime.InteropServices;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>Which QoS 2 messages from other nodes a durable session has had: of each source and shard all up to a number. Under the session's lock.</summary>
/// <remarks>Stored with the queue. What a source sends by one shard comes in order, so one number is enough.</remarks>
internal sealed class SessionOrigins
{
    private readonly Dictionary<(long Source, int Shard), long> marks = [];

    public SessionOrigins(IEnumerable<OriginMark> stored)
    {
        foreach (var mark in stored) marks[(mark.Source, mark.Shard)] = mark.Number;
    }

    /// <summary>False if the session has had the message.</summary>
    public bool TryAdd(MessageOrigin origin, int shard)
    {
        ref var mark = ref CollectionsMarshal.GetValueRefOrAddDefault(marks, (origin.Source, shard), out _);
        if (mark >= origin.Number) return false;
        mark = origin.Number;
        return true;
    }

    /// <summary>The message could not be stored: it may come again. What came after it could not be either.</summary>
    public void Forget(MessageOrigin origin, int shard)
    {
        if (marks.TryGetValue((origin.Source, shard), out var mark) && mark >= origin.Number) marks[(origin.Source, shard)] = origin.Number - 1;
    }
}
