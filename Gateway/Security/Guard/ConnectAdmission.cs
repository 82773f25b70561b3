using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt.Limits;
using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Guard;

/// <summary>Decides whether one more CONNECT is taken while many come: who would wait too long is told at once to come back later.</summary>
/// <remarks>
/// Thread-safe. Before it <see cref="Transport.HandshakeAdmission"/> lets a storm wait in the kernel's backlog; that cannot tell clients anything, and in front of a slow
/// database it only makes all of them wait until they give up and come again. So authentications in progress are bounded too, with an answer.
/// The last quarter of each bound is for clients that resume a session: they have messages waiting, and others wait for them. A client can claim to resume; it then
/// has a session and its cost, and the share is no more than a quarter.
/// </remarks>
internal sealed class ConnectAdmission
{
    private const int Shares = 4;

    private readonly Lock gate = new();
    private readonly TimeProvider time;
    private readonly IOptionsMonitor<GatewayOptions> gateway;
    private TokenBucket? rate;
    private int maxRate;
    private int pending;
    private long movedAt;

    public ConnectAdmission(IOptionsMonitor<GatewayOptions> gateway, TimeProvider time)
    {
        (this.gateway, this.time) = (gateway, time);
        movedAt = time.GetTimestamp();
    }

    /// <summary>How long an authentication may take.</summary>
    public TimeSpan MaxWait => gateway.CurrentValue.MaxConnectWait;

    /// <summary>Authentications in progress, also of clients that have gone meanwhile: the source still works for them.</summary>
    public int Pending
    {
        get
        {
            lock (gate) return pending;
        }
    }

    /// <summary>Whether one more CONNECT is taken: success, server busy or connection rate exceeded.</summary>
    /// <param name="resumes">Clean start, or clean session, is 0.</param>
    public ReasonCode Admit(bool resumes)
    {
        lock (gate)
        {
            if (pending >= Share(Bound(), resumes)) return ReasonCode.ServerBusy;
            FollowRate();
            if (rate is null) return ReasonCode.Success;
            if (!rate.Has(resumes ? 1 : (rate.Burst / Shares) + 1)) return ReasonCode.ConnectionRateExceeded;
            rate.Take(1);
            return ReasonCode.Success;
        }
    }

    /// <summary>Awaits an authentication. One that is answered at once, as from memory, is never pending.</summary>
    public async ValueTask<T> WaitAsync<T>(ValueTask<T> answer)
    {
        var waits = !answer.IsCompleted;
        if (waits) Begin();
        try
        {
            return await answer;
        }
        finally
        {
            Moved(waits);
        }
    }

    /// <summary>Nothing has been answered for longer than anybody may wait: then the bound is a quarter. Not none at all, for one call that never returns must not
    /// keep everybody out, and somebody must find out when the source answers again.</summary>
    private int Bound() => pending > 0 && time.GetElapsedTime(movedAt) >= MaxWait ? gateway.CurrentValue.MaxPendingConnects / Shares : gateway.CurrentValue.MaxPendingConnects;

    private void FollowRate()
    {
        if (gateway.CurrentValue.MaxConnectRate == maxRate) return;
        maxRate = gateway.CurrentValue.MaxConnectRate;
        rate = maxRate > 0 ? new TokenBucket(new Rate(maxRate, TimeSpan.FromSeconds(1)), 0, time) : null;
    }

    private static int Share(int bound, bool resumes) => resumes ? bound : bound - (bound / Shares);

    private void Begin()
    {
        lock (gate)
        {
            if (pending++ == 0) movedAt = time.GetTimestamp();
        }
    }

    private void Moved(bool waited)
    {
        lock (gate)
        {
            if (waited) pending--;
            movedAt = time.GetTimestamp();
        }
    }
}
