using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt;

/// <summary>Cuts a connection that is silent for too long, and reminds its session of what is unacknowledged.</summary>
/// <remarks>A packet only notes the time; the deadline looks at it when it comes due. On the loop only.</remarks>
internal sealed class KeepAlive(Connection connection) : Deadline
{
    private static readonly TimeSpan ReceiptCheck = TimeSpan.FromSeconds(30);

    private long touched;
    private TimeSpan limit = TimeSpan.MaxValue;
    private TimeSpan retry;
    private bool connected;

    /// <summary>CONNECT must come within this time. [MQTT-3.1.4]</summary>
    public void ExpectConnect(TimeSpan within)
    {
        limit = within;
        connection.Loop.Deadlines.Set(this, within);
    }

    /// <summary>From now on the client's keep alive counts.</summary>
    public void Start(int seconds, MqttOptions options)
    {
        connected = true;
        limit = seconds == 0 ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds * options.KeepAliveBackoff * 2); // [MQTT-3.1.2-22]
        retry = connection.IsV5 ? TimeSpan.Zero : options.RetryInterval; // 5.0 resends at reconnect only [MQTT-4.4.0-1]
        Touch();
        Arm(limit);
    }

    /// <summary>A packet has come.</summary>
    public void OnPacket() => touched = connection.Loop.ReadAt;

    /// <summary>The client is not silent: what holds it up is ours.</summary>
    public void Touch() => touched = connection.Loop.Time.GetTimestamp();

    /// <inheritdoc cref="LeaveUnanswered"/>
    public bool HasLeftUnanswered { get; private set; }

    /// <summary>A 3.x client was left without the answer to a PUBLISH that was refused. Most send it again only when they connect again: soon they must.</summary>
    public void LeaveUnanswered() => HasLeftUnanswered = true;

    public void Stop() => connection.Loop.Deadlines.Clear(this);

    public override void OnDue()
    {
        if (!connected)
        {
            connection.Disconnect(ReasonCode.KeepAliveTimeout, "idle_timeout");
            return;
        }

        if (HasLeftUnanswered)
        {
            connection.Disconnect(ReasonCode.QuotaExceeded, "publish_refused");
            return;
        }

        connection.Session!.Retry(retry);
        if (!connection.TakesPackets) Touch(); // nothing is read of it: its silence is ours
        var silent = connection.Loop.Time.GetElapsedTime(touched);
        if (silent >= limit) connection.Disconnect(ReasonCode.KeepAliveTimeout, "keepalive_timeout");
        else Arm(limit - silent);
    }

    private void Arm(TimeSpan left)
    {
        var reminder = retry > TimeSpan.Zero && retry < ReceiptCheck ? retry : ReceiptCheck;
        connection.Loop.Deadlines.Set(this, left < reminder ? left : reminder);
    }
}
