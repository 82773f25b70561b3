using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Mqtt.Limits;

/// <summary>What the clients of one listener may send.</summary>
/// <param name="MessageBurst">0 is as many as come in one period; so is <paramref name="ByteBurst"/>.</param>
internal sealed record ClientRates(Rate Messages, long MessageBurst, Rate Bytes, long ByteBurst)
{
    /// <summary>The broker's rates, and in their place those that a listener has of its own; null if there are none.</summary>
    public static ClientRates? Of(MqttOptions broker, ListenerOptions listener)
    {
        var rates = new ClientRates(
            Rate.Parse(listener.MessageRate ?? broker.MessageRate), listener.MessageBurst ?? broker.MessageBurst,
            Rate.Parse(listener.ByteRate ?? broker.ByteRate), listener.ByteBurst ?? broker.ByteBurst);
        return rates.Messages.IsUnlimited && rates.Bytes.IsUnlimited ? null : rates;
    }

    /// <summary>Holds one more client to them.</summary>
    public RateLimiter For(Connection connection) => new(connection, this);
}

/// <summary>Holds one client to its rates by not reading it: nothing is dropped, TCP slows it down.</summary>
/// <remarks>On the connection's event loop only. What has come is taken and paid afterwards, in debt if it must be, so that one packet may be larger than the burst.</remarks>
internal sealed class RateLimiter
{
    /// <summary>Reading begins again when there are tokens for so long a time, so that a fast client does not cost a timer for each packet.</summary>
    private const int StepMs = 20;

    private readonly TokenBucket? messages;
    private readonly TokenBucket? bytes;
    private readonly TokenPause pause;

    public RateLimiter(Connection connection, ClientRates rates)
    {
        if (!rates.Messages.IsUnlimited) messages = new TokenBucket(rates.Messages, rates.MessageBurst, connection.Loop.Time);
        if (!rates.Bytes.IsUnlimited) bytes = new TokenBucket(rates.Bytes, rates.ByteBurst, connection.Loop.Time);
        pause = new TokenPause(connection, Wait);
    }

    /// <summary>Packets have been read: what came since the last ones is counted once for all of them.</summary>
    public void BeginRead(long timestamp)
    {
        messages?.Refill(timestamp);
        bytes?.Refill(timestamp);
    }

    /// <summary>A PUBLISH has come.</summary>
    public void OnMessage() => Take(messages, 1);

    /// <summary>Bytes have come; TLS, WebSocket and PROXY header not counted.</summary>
    public void OnRead(int length) => Take(bytes, length);

    private void Take(TokenBucket? bucket, int tokens)
    {
        if (bucket is null) return;
        bucket.Take(tokens);
        if (pause.IsOn || bucket.Holds(1)) return;
        BrokerCounters.Add(Metric.ClientRateLimited);
        pause.Begin();
    }

    private TimeSpan Wait()
    {
        var forMessages = messages?.WaitFor(messages.Within(StepMs)) ?? TimeSpan.Zero;
        var forBytes = bytes?.WaitFor(bytes.Within(StepMs)) ?? TimeSpan.Zero;
        return forMessages > forBytes ? forMessages : forBytes;
    }
}
