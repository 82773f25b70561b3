using Broker.Gateway.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Mqtt.Limits;

/// <summary>How many messages may be routed: for each client, and for all of this process together.</summary>
internal sealed class RoutingQuotas
{
    private readonly TimeProvider time;
    private volatile Limits current;

    public RoutingQuotas(IOptionsMonitor<MqttOptions> mqtt, TimeProvider time)
    {
        this.time = time;
        current = Make(mqtt.CurrentValue, null);
        mqtt.OnChange(changed => current = Make(changed, current));
    }

    private sealed record Limits(Rate Each, Rate Overall, SharedBucket? All);

    /// <summary>One more client's share; null if nothing is limited.</summary>
    /// <param name="own">Instead of the configured rate.</param>
    public RoutingQuota? For(Connection connection, Rate? own = null)
    {
        var (each, _, all) = current;
        var rate = own ?? each;
        return rate.IsUnlimited && all is null ? null : new RoutingQuota(connection, rate.IsUnlimited ? null : new TokenBucket(rate, 0, time), all);
    }

    /// <summary>Clients that are connected go on taking from the bucket that they have begun with.</summary>
    private Limits Make(MqttOptions options, Limits? before)
    {
        var (each, overall) = (Rate.Parse(options.RoutingQuota), Rate.Parse(options.OverallRoutingQuota));
        return new Limits(each, overall, before?.Overall == overall ? before.All : overall.IsUnlimited ? null : new SharedBucket(new TokenBucket(overall, 0, time)));
    }

    /// <summary>The bucket that all event loops take from. Its lock is held for some nanoseconds, once or twice for a message.</summary>
    internal sealed class SharedBucket(TokenBucket bucket)
    {
        private readonly Lock gate = new();

        public bool Has(long tokens)
        {
            lock (gate) return bucket.Has(tokens);
        }

        public void Take(long tokens)
        {
            lock (gate) bucket.Take(tokens);
        }

        public TimeSpan WaitFor(long tokens)
        {
            lock (gate) return bucket.WaitFor(tokens);
        }
    }
}

/// <summary>What one client may have routed.</summary>
/// <remarks>On the connection's event loop only. A message costs one and one more for each of its destinations that is known here when it is routed; the latter may be debts.</remarks>
internal sealed class RoutingQuota
{
    private readonly TokenBucket? own;
    private readonly RoutingQuotas.SharedBucket? all;
    private readonly TokenPause pause;

    public RoutingQuota(Connection connection, TokenBucket? own, RoutingQuotas.SharedBucket? all)
    {
        (this.own, this.all) = (own, all);
        pause = new TokenPause(connection, Wait);
    }

    /// <summary>Takes what one message costs; false if nothing is left.</summary>
    public bool TryTake()
    {
        if ((own is not null && !own.Has(1)) || (all is not null && !all.Has(1))) return false;
        Take(1);
        return true;
    }

    /// <summary>Takes what one message costs as a debt, and does not read its client until that is paid.</summary>
    public void Borrow()
    {
        Take(1);
        pause.Begin();
    }

    /// <summary>Takes more, whether there is something left or not.</summary>
    public void Take(int tokens)
    {
        own?.Take(tokens);
        all?.Take(tokens);
    }

    private TimeSpan Wait()
    {
        var (mine, ours) = (own?.WaitFor(1) ?? TimeSpan.Zero, all?.WaitFor(1) ?? TimeSpan.Zero);
        return mine > ours ? mine : ours;
    }
}
