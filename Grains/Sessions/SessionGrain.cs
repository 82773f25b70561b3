using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.Logging;
using Orleans.Placement;

namespace Broker.Grains.Sessions;

/// <inheritdoc cref="ISessionGrain"/>
/// <remarks>Not reentrant: what changes the session as a whole happens one after the other. It calls shards, which call back at
/// <see cref="Enqueue"/> only from their own links and never wait for this grain inside a call of it (shards are reentrant).</remarks>
[PreferLocalPlacement]
internal sealed partial class SessionGrain(LocalSessions local, BrokerStore store, ShardMap map, SessionPublisher publisher, TimeProvider time, ILogger<SessionGrain> log)
    : Grain, ISessionGrain
{
    private DurableSession? session;
    private SessionHeader? header;
    private ClientLocation? owner;
    private (Guid Link, long Number, ReasonCode[] Codes) lastBatch;

    private string ClientId => SessionKey.ClientIdOf(this.GetPrimaryKeyString());

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (await store.OpenSessionAsync(ClientId) is not { } stored) return;
        Begin(stored);
        // The connection that the store still knows of has died with its process: its will and its expiry count from now.
        if (stored.Header.IsConnected) store.Submit(new SaveSession(session!.Lease, header = Left(header!, header!.ExpiryIntervalSeconds, header.Will, NowMs)));
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
        try
        {
            // The sweeper may not have come yet to what is due.
            if (session is not null && (request.CleanStart || header!.ExpiresAt <= NowMs)) await EndAsync(publishWill: true);
            else if (header?.WillDueAt <= NowMs) await publisher.PublishAsync(WillOf(header)!.ToMessage(NowMs));
            var present = session is not null;
            if (!present)
            {
                var created = new SessionHeader { ClientId = ClientId, Partition = map.PartitionOf(ClientId), CreatedAt = NowMs };
                Begin((await store.OpenSessionAsync(ClientId, created))!);
            }

            owner = request.Location;
            session!.Configure(request.Limits, request.UpgradeQos);
            await SaveAsync(header! with
            {
                ProtocolVersion = request.ProtocolVersion,
                ExpiryIntervalSeconds = request.ExpirySeconds,
                UserName = request.UserName,
                IsConnected = true,
                DisconnectedAt = null,
                ExpiresAt = null,
                Will = request.Will?.Message,
                WillDelaySeconds = request.Will?.DelaySeconds ?? 0,
                WillExpirySeconds = request.Will?.ExpirySeconds,
                WillDueAt = null, // reconnected in time: an earlier will is not published [MQTT-3.1.3-9]
            });
            // In use by its connection, which does not come through here: not idle.
            DelayDeactivation(TimeSpan.MaxValue);
            return new OpenSessionResult(ReasonCode.Success, present);
        }
        catch (StoreException fault)
        {
            LogNotOpened(log, fault, ClientId);
            return new OpenSessionResult(ReasonCode.ServerUnavailable, SessionPresent: false);
        }
    }

    public async Task Close(CloseSessionRequest request)
    {
        if (owner != request.Location || session is null) return;
        var last = owner;
        owner = null;
        DelayDeactivation(TimeSpan.Zero);
        var expiry = request.ExpirySeconds ?? header!.ExpiryIntervalSeconds;
        if (expiry == 0)
        {
            await EndAsync(request.PublishWill, last);
            DeactivateOnIdle();
            return;
        }

        var now = NowMs;
        var will = request.PublishWill ? header!.Will : null;
        if (will is not null && header!.WillDelaySeconds == 0)
        {
            await publisher.PublishAsync(WillOf(header)!.ToMessage(now));
            will = null;
        }

        await SaveAsync(Left(header!, expiry, will, now));
    }

    public async Task<SubscribeResult[]> Subscribe(Subscription[] requested)
    {
        var results = new SubscribeResult[requested.Length];
        if (session is null)
        {
            Array.Fill(results, new SubscribeResult(ReasonCode.UnspecifiedError, false));
            return results;
        }

        var saved = new List<Task<bool>>(requested.Length);
        var subscriptions = new SessionSubscription[requested.Length];
        for (var i = 0; i < requested.Length; i++)
        {
            var (filter, options) = requested[i];
            var before = session.Subscriptions.Find(filter.Text);
            subscriptions[i] = new SessionSubscription(filter.Text, before?.Number ?? session.Subscriptions.NextNumber(), map.ShardOf(filter), options);
            results[i] = new SubscribeResult((ReasonCode)options.Qos, before is null);
            session.Subscriptions.Set(subscriptions[i]);
            saved.Add(store.WriteAsync(new SaveSubscription(session.Lease, subscriptions[i])));
        }

        var outcomes = await Task.WhenAll(saved);
        for (var i = 0; i < results.Length; i++)
        {
            if (outcomes[i]) continue;
            if (results[i].IsNew) session.Subscriptions.Remove(subscriptions[i].Filter);
            results[i] = new SubscribeResult(ReasonCode.QuotaExceeded, false);
        }

        await publisher.ChangeRoutesAsync(subscriptions.Where((_, i) => results[i].IsNew).Select(subscription => RouteOf(subscription, remove: false)));
        return results;
    }

    public async Task<ReasonCode[]> Unsubscribe(TopicFilter[] filters)
    {
        var codes = new ReasonCode[filters.Length];
        var gone = new List<SessionSubscription>();
        for (var i = 0; i < filters.Length; i++)
        {
            if (session?.Subscriptions.Find(filters[i].Text) is not { } subscription)
            {
                codes[i] = ReasonCode.NoSubscriptionExisted;
                continue;
            }

            gone.Add(subscription);
            session.Subscriptions.Remove(subscription.Filter);
            store.Submit(new RemoveSubscription(session.Lease, subscription.Filter));
        }

        await publisher.ChangeRoutesAsync(gone.Select(subscription => RouteOf(subscription, remove: true)));
        await store.FlushAsync();
        return codes;
    }

    public async Task<ReasonCode[]> Enqueue(SessionBatch batch)
    {
        if (lastBatch.Link == batch.Link && lastBatch.Number == batch.Number) return lastBatch.Codes;
        var receipts = Array.ConvertAll(batch.Messages, item =>
        {
            var receipt = new TaskReceipt();
            session?.TryEnqueue(item.Message, item.Subscriptions, null, receipt);
            receipt.Answer(ReasonCode.Success);
            return receipt.Completion;
        });
        lastBatch = (batch.Link, batch.Number, await Task.WhenAll(receipts));
        return lastBatch.Codes;
    }

    public async Task HandleDue()
    {
        if (session is null || owner is not null) return;
        var now = NowMs;
        if (header!.ExpiresAt <= now)
        {
            await EndAsync(publishWill: true);
            DeactivateOnIdle();
        }
        else if (header.WillDueAt <= now)
        {
            await publisher.PublishAsync(WillOf(header)!.ToMessage(now));
            await SaveAsync(header with { Will = null, WillDueAt = null });
        }
    }

    public async Task Discard()
    {
        if (session is not null) await EndAsync(publishWill: true);
        DeactivateOnIdle();
    }

    /// <summary>The session ends for good: its will goes out [MQTT-3.1.2-8], its routes vanish, its rows go. The grain may begin another one.</summary>
    /// <param name="endedWith">The connection that it ends with; null if it had none.</param>
    private async Task EndAsync(bool publishWill, ClientLocation? endedWith = null)
    {
        var (ending, last) = (session!, header!);
        var pendingWill = publishWill && (last.WillDueAt is not null || last.IsConnected) ? WillOf(last) : null;
        // Routes first: what a shared subscription still gives it until they are gone is among the leftovers.
        await publisher.ChangeRoutesAsync(ending.Subscriptions.All().Select(subscription => RouteOf(subscription, remove: true)));
        local.Close(ending);
        ending.Close(ReasonCode.SessionTakenOver);
        (session, header, owner) = (null, null, null);
        await publisher.RedispatchAsync(ending.Leftovers());
        await store.WriteAsync(new DeleteSession(ending.Lease));
        await publisher.ForgetAsync(ClientId, endedWith);
        BrokerCounters.Add(Metric.SessionTerminated);
        if (pendingWill is not null) await publisher.PublishAsync(pendingWill.ToMessage(NowMs));
    }

    /// <summary>The header of a session whose connection has ended.</summary>
    /// <param name="will">What is still to be published after its delay; null for nothing.</param>
    private static SessionHeader Left(SessionHeader header, uint expiry, ApplicationMessage? will, long now) => header with
    {
        IsConnected = false,
        DisconnectedAt = now,
        ExpiryIntervalSeconds = expiry,
        ExpiresAt = expiry == SessionHeader.NeverExpires ? null : now + expiry * 1000L,
        Will = will,
        WillDueAt = will is null ? null : now + header.WillDelaySeconds * 1000L,
    };

    private void Begin(StoredSession stored)
    {
        header = stored.Header;
        // What is stored is taken back whole; the bounds come with the connection.
        session = new DurableSession(ClientId, stored, new SessionLimits { MaxAwaitingRelease = 0 }, store, time);
        session.Fenced += DeactivateOnIdle;
        local.Open(session);
    }

    private async Task SaveAsync(SessionHeader changed)
    {
        header = changed;
        if (!await store.WriteAsync(new SaveSession(session!.Lease, changed))) throw new StoreUnavailableException("The session was not saved.");
    }

    private static Will? WillOf(SessionHeader header) =>
        header.Will is null ? null : new Will(header.Will, header.WillDelaySeconds, header.WillExpirySeconds);

    private RouteChange RouteOf(SessionSubscription subscription, bool remove) =>
        new(TopicFilter.Parse(subscription.Filter), RouteDestination.OfSession(ClientId), (ulong)subscription.Number, remove);

    [LoggerMessage(1, LogLevel.Warning, "The session of client {ClientId} could not be opened.")]
    private static partial void LogNotOpened(ILogger log, Exception fault, string clientId);
}
