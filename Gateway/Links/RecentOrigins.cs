using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Links;

/// <summary>The QoS 2 messages that this gateway's transient sessions had lately, so that one that comes once more, because a node died on its way, is dropped.</summary>
/// <remarks>Thread-safe. The first route stands for the delivery: a message may also come for a member of a shared subscription.</remarks>
internal sealed class RecentOrigins
{
    private const int Capacity = 65_536;

    private readonly Lock gate = new();
    private readonly HashSet<(long Source, long Number, ulong Route)> known = [];
    private readonly Queue<(long Source, long Number, ulong Route)> order = new();

    /// <summary>False if it was there.</summary>
    public bool TryAdd(MessageOrigin origin, ulong route)
    {
        lock (gate)
        {
            var one = (origin.Source, origin.Number, route);
            if (!known.Add(one)) return false;
            order.Enqueue(one);
            if (order.Count > Capacity) known.Remove(order.Dequeue());
            return true;
        }
    }
}
