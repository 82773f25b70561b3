using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Links;

/// <summary>Times a sample of a loop's deliveries, and traces those of messages that are traced, until they are in their sockets' buffers. On its loop only.</summary>
/// <remarks>A delivery that is not in the sample costs a subtraction and a look at its message; one that is costs a place in a list, and its turn of the loop one question for the time.</remarks>
/// <param name="latencies">Where the times go; null if nothing is timed.</param>
/// <param name="sample">Of so many deliveries, on average, one is timed; 0 times none.</param>
internal sealed class DeliveryWatch(LatencyInstruments? latencies, int sample)
{
    /// <summary>Of one turn of the loop: a fan-out to thousands is not told one by one.</summary>
    private const int MostTraced = 32;

    private readonly Random random = new();
    private readonly List<(Qos Qos, long ReceivedAt)> timed = [];
    private readonly List<MessageActivity> traced = [];
    private long left = latencies is null || sample == 0 ? long.MaxValue : 1;

    /// <summary>Whether <see cref="Add"/> is to be called for a delivery that has just been written.</summary>
    public bool Wants(ApplicationMessage message) => --left <= 0 | message.TraceParent is not null;

    /// <summary>A delivery is in its connection's buffer.</summary>
    /// <param name="isFresh">It has waited for nobody: it is no repetition, was not retained, and its subscriber was there when it was published.</param>
    public void Add(ApplicationMessage message, Qos qos, string clientId, bool isFresh)
    {
        if (message.TraceParent is not null && traced.Count < MostTraced && MessageActivities.Deliver(message, clientId, qos) is { } activity) traced.Add(activity);
        if (left > 0) return;
        // Not each n-th: subscribers that take turns would be timed always or never.
        left = random.Next(1, 2 * sample);
        if (isFresh) timed.Add((qos, message.ReceivedAt));
    }

    /// <summary>What was written in this turn of the loop is in the sockets' buffers.</summary>
    public void Flushed(LoopContext loop)
    {
        if (timed.Count > 0)
        {
            var now = loop.NowMicroseconds;
            // Clocks of two machines differ: a message may seem to have come before it was sent.
            foreach (var (qos, receivedAt) in timed) latencies!.Delivered(qos, Math.Max(0, now - receivedAt) / 1e6);
            timed.Clear();
        }

        if (traced.Count == 0) return;
        foreach (var activity in traced) activity.Dispose();
        traced.Clear();
    }
}
