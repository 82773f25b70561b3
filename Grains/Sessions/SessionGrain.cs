using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.Logging;
using Orleans.GrainDirectory;
using Orleans.Placement;

namespace Broker.Grains.Sessions;

/// <inheritdoc cref="ISessionGrain"/>
/// <remarks>Not reentrant: what changes the session as a whole happens one after the other. It calls shards, which call back at
/// <see cref="Enqueue"/> only from their own links and never wait for this grain inside a call of it (shards are reentrant).</remarks>
[PreferLocalPlacement, GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed partial class SessionGrain(
    LocalSessions local, NodeFences fences, BrokerStore store, ShardMap map, SessionPublisher publisher, SessionDefaults defaults, IBrokerHooks hooks, TimeProvider time, ILogger<SessionGrain> log)
    : Grain, ISessionGrain
{
    private DurableSession? session;
    private SessionHeader? header;
    private ClientLocation? owner;
    private StoreException? unread;

    /// <summary>The last batch of each link and what was answered: one for each shard that is in another process.</summary>
    private readonly Dictionary<Guid, (long Number, ReasonCode[] Codes)> lastBatches = [];

    private string ClientId => SessionKey.ClientIdOf(this.GetPrimaryKeyString());

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        using var activity = BrokerActivities.LoadSession(ClientId);
        try
        {
            await fences.EnsureAsync();
            if (await store.OpenSessionAsync(ClientId) is { } stored) Begin(stored);
        }
        catch (StoreException fault)
        {
            // Whether there is a session is not known: nothing may be done as if there were none.
            unread = fault;
            activity.Fail(fault.Message);
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (session is null) return;
        local.Close(session);
        session.Close(ReasonCode.ServerShuttingDown);
        await store.FlushAsync();
    }

    public async Task<OpenSessionResult> Open(OpenSessionRequest request)
    {
        // Beside its client's connection messages and acknowledgements need no call; what it holds is in the store.
        if (request.MayMove && !request.Location.Gateway.Equals(GrainContext.Address.SiloAddress))
        {
            await this.MigrateTo(request.Location.Gateway);
            return new OpenSessionResult(ReasonCode.ServerMoved, SessionPresent: false);
        }

        try
        {
            DemandRead();
            // The sweeper may not have come yet to what is due.
            if (session is not null && (request.CleanStart || header!.ExpiresAt <= NowMs)) await EndAsync(publishWill: true, request.CleanStart ? Metric.SessionDiscarded : Metric.SessionTerminated);
            else if (header?.WillDueAt <= NowMs) await publisher.PublishAsync(header!.PendingWill()!.ToMessage(NowMs));
            var present = session is not null;
            if (!present)
            {
                var created = new SessionHeader { ClientId = ClientId, Partition = map.PartitionOf(ClientId), CreatedAt = NowMs };
                Begin((await store.OpenSessionAsync(ClientId, created))!);
            }

            owner = request.Location;
            // Due already: being back does not undo it.
            if (header!.WillDueAt <= NowMs) await publisher.PublishAsync(header!.PendingWill()!.ToMessage(NowMs));
            session!.Open(request);
            var opened = header!.OpenedBy(request);
            // What is in memory may be resumed while the store fails: its client takes messages, which makes room.
            if (present) await KeepAsync(opened);
            else await SaveAsync(opened);
            // In use by its connection, which does not come through here: not idle.
            DelayDeactivation(TimeSpan.MaxValue);
            return new OpenSessionResult(ReasonCode.Success, present, session.PlaceAt(GrainContext.Address.SiloAddress!, request.NeedsFilters), session.Subscriptions.Rests());
        }
        catch (StoreException fault)
        {
            LogNotOpened(log, ClientId, fault.Message);
            return new OpenSessionResult(ReasonCode.ServerUnavailable, SessionPresent: false);
        }
    }

    public async Task Close(CloseSessionRequest request)
    {
        // A session that was loaded while its connection lived on in another process, as when its own process died, does not know its owner.
        if (session is null || (owner is null ? !header!.IsConnected : owner != request.Location)) return;
        session.Owner.Leave(request.Location);
        var last = owner;
        owner = null;
        DelayDeactivation(TimeSpan.FromTicks(-1)); // from now on the ordinary idle time counts
        var expiry = request.ExpirySeconds ?? header!.ExpiryIntervalSeconds;
        if (expiry == 0)
        {
            // Due at once: should the end fail half-way, the sweeper makes another attempt.
            var pending = request.PublishWill ? header!.Will : null;
            await KeepAsync(header!.LeftAt(NowMs, expiry, pending, session.SentUpTo));
            await EndAsync(request.PublishWill, Metric.SessionTerminated, last);
            DeactivateOnIdle();
            return;
        }

        var now = NowMs;
        var will = request.PublishWill ? header!.Will : null;
        if (will is not null && header!.WillDelaySeconds == 0)
        {
            await publisher.PublishAsync(header!.PendingWill()!.ToMessage(now));
            will = null;
        }

        foreach (var changed in session.Subscriptions.SetRests(request.Rests)) store.Submit(new SaveSubscription(session.Lease, changed));
        await KeepAsync(header!.LeftAt(now, expiry, will, session.SentUpTo));
    }

    public Task<ExplainedSession?> Explain(ulong[] subscriptions)
    {
        DemandRead();
        return Task.FromResult(session?.Explain(owner is not null, subscriptions));
    }

    public async Task<ReasonCode[]> Enqueue(SessionBatch batch)
    {
        DemandRead();
        if (lastBatches.TryGetValue(batch.Link, out var last) && last.Number == batch.Number) return last.Codes;
        var receipts = Array.ConvertAll(batch.Messages, item =>
        {
            var receipt = new TaskReceipt();
            // Without a session the route was stale. If it has closed under this grain, the whole batch comes again where it is now.
            if (session is not null && !session.TryEnqueue(item.Message, item.Subscriptions, null, receipt)) throw new OrleansException("The session has moved.");
            receipt.Answer(ReasonCode.Success);
            return receipt.Completion;
        });
        var codes = await Task.WhenAll(receipts);
        // Links of processes that have gone stay until there are clearly too many.
        if (lastBatches.Count > 2 * map.Count) lastBatches.Clear();
        lastBatches[batch.Link] = (batch.Number, codes);
        return codes;
    }

    public async Task HandleDue()
    {
        if (session is null || owner is not null) return;
        var now = NowMs;
        if (header!.ExpiresAt <= now)
        {
            await EndAsync(publishWill: true, Metric.SessionTerminated);
            DeactivateOnIdle();
        }
        else if (header.WillDueAt <= now)
        {
            await publisher.PublishAsync(header!.PendingWill()!.ToMessage(now));
            await KeepAsync(header with { Will = null, WillDueAt = null });
        }
    }

    public async Task<ReasonCode> Discard()
    {
        if (unread is null && session is not null) await EndAsync(publishWill: true, Metric.SessionDiscarded);
        else if (unread is null) await publisher.ForgetAsync(ClientId, null); // the registry believed in one that was never made
        DeactivateOnIdle();
        return unread is null ? ReasonCode.Success : ReasonCode.ServerUnavailable;
    }

    /// <summary>The session ends for good: its will goes out [MQTT-3.1.2-8], its routes vanish, its rows go. The grain may begin another one.</summary>
    /// <param name="counted">What counts this end.</param>
    /// <param name="endedWith">The connection that it ends with; null if it had none.</param>
    private async Task EndAsync(bool publishWill, Metric counted, ClientLocation? endedWith = null)
    {
        var (ending, last) = (session!, header!);
        var pendingWill = publishWill && (last.WillDueAt is not null || last.IsConnected) ? last.PendingWill() : null;
        // Routes first: what a shared subscription still gives it until they are gone is among the leftovers.
        await publisher.ChangeRoutesAsync(ending.Subscriptions.All().Select(subscription => RouteOf(subscription, remove: true)));
        local.Close(ending);
        ending.Close(ReasonCode.SessionTakenOver);
        (session, header, owner) = (null, null, null);
        await publisher.RedispatchAsync(ending.Leftovers());
        store.Submit(new DeleteSession(ending.Lease));
        await store.FlushAsync();
        await publisher.ForgetAsync(ClientId, endedWith);
        publisher.Count(ClientId, counted);
        if (pendingWill is not null) await publisher.PublishAsync(pendingWill.ToMessage(NowMs));
    }

    private void DemandRead()
    {
        if (unread is null) return;
        DeactivateOnIdle(); // the next call tries again
        throw unread;
    }

    private void Begin(StoredSession stored)
    {
        header = stored.Header;
        // What is stored is taken back whole; the bounds hold from then on.
        session = new DurableSession(ClientId, stored, defaults.Limits with { MaxAwaitingRelease = 0 }, store, map, hooks, time);
        session.Configure(defaults.Limits, defaults.UpgradeQos);
        session.Fenced += DeactivateOnIdle;
        local.Open(session);
    }

    private async Task SaveAsync(SessionHeader changed)
    {
        header = changed;
        if (!await store.WriteAsync(new SaveSession(session!.Lease, changed))) throw new StoreUnavailableException("The session was not saved.");
    }

    /// <summary>Saves the header without waiting for the end of an outage. That a connection has ended is then saved when the store recovers.</summary>
    private async Task KeepAsync(SessionHeader changed)
    {
        header = changed;
        store.Submit(new SaveSession(session!.Lease, changed));
        await store.FlushAsync();
    }

    private RouteChange RouteOf(SessionSubscription subscription, bool remove) =>
        new(TopicFilter.Parse(subscription.Filter), RouteDestination.OfSession(ClientId), (ulong)subscription.Number, remove);

    [LoggerMessage(1, LogLevel.Warning, "The session of client {ClientId} could not be opened: {Reason}")]
    private static partial void LogNotOpened(ILogger log, string clientId, string reason);
}
