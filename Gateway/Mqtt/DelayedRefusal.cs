using Broker.Gateway.Links;
using Broker.Gateway.Security.Guard;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Mqtt;

/// <summary>A refusal that leaves later: until then its connection is not read, and costs its socket and a place in the loop's wheel, but no place among the handshakes.</summary>
/// <remarks>On the connection's event loop only.</remarks>
internal sealed class DelayedRefusal : Deadline
{
    private readonly Connection connection;
    private readonly BruteForceGuard guard;
    private readonly ProtocolReply reply;
    private readonly string reason;

    private DelayedRefusal(Connection connection, BruteForceGuard guard, in ProtocolReply reply, string reason) =>
        (this.connection, this.guard, this.reply, this.reason) = (connection, guard, reply, reason);

    /// <summary>Sends a refusal after a time; if too many wait already the connection is closed without it.</summary>
    public static void Begin(Connection connection, BruteForceGuard guard, in ProtocolReply reply, string reason, TimeSpan delay)
    {
        if (connection.IsEnding) return;
        if (!guard.TryBeginDelay())
        {
            BrokerCounters.Add(Metric.ClientRefusedClosed);
            connection.Apply(new ProtocolReply(null, Close: true), reason);
            return;
        }

        BrokerCounters.Add(Metric.ClientRefusedDelayed);
        connection.Reading.Begin(); // for good: it ends with the connection
        connection.KeepAlive.Stop();
        connection.LeaveHandshake();
        connection.Loop.Deadlines.Set(new DelayedRefusal(connection, guard, reply, reason), delay);
    }

    public override void OnDue()
    {
        guard.EndDelay();
        connection.Apply(reply, reason);
    }
}
