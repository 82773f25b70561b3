using Broker.Grains.Cluster;
using Broker.Grains.Gateways;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.GrainDirectory;

namespace Broker.Grains.Routing;

/// <inheritdoc cref="ITopicShardGrain"/>
/// <remarks>Reentrant: a publish waits for sessions and gateways, and a session that subscribes meanwhile calls back here. What stays true:
/// the routes are changed and read under <see cref="Shard"/>'s lock, and order comes from the links, which have one call in flight.</remarks>
[Reentrant, KeepAlive, EvenPlacement, GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed class TopicShardGrain : Grain, ITopicShardGrain, IGrainMigrationParticipant
{
    private readonly LocalShards local;
    private readonly BrokerStore store;
    private readonly GatewayPoll gateways;
    private readonly IServiceProvider services;
    private readonly Shard shard;
    private readonly IBrokerHooks hooks;
    private readonly ReceivedBatches<(Task Done, ReasonCode[] Codes)> seen;
    private bool carried;

    public TopicShardGrain(
        LocalShards local, BrokerStore store, GatewayPoll gateways, IServiceProvider services, IDestinationFactory destinations, IBrokerHooks hooks, TimeProvider time)
    {
        (this.local, this.store, this.gateways, this.services, this.hooks) = (local, store, gateways, services, hooks);
        var tally = new ShardTally(Number, services.GetRequiredService<ShardMap>(), services.GetRequiredService<BrokerGauges>());
        shard = new Shard(new DestinationTable(destinations), services.GetRequiredService<IOptions<RoutingOptions>>().Value, tally);
        seen = new ReceivedBatches<(Task, ReasonCode[])>(time);
    }

    private int Number => (int)this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!carried) await RecoverAsync(cancellationToken);
        }
        catch
        {
            shard.Close(); // what it has counted is counted again by the next activation
            throw;
        }

        local.Open(Number, shard);
        var audit = new RouteAudit(Number, shard, gateways, services.GetRequiredService<IGatewayClient>(), store, services.GetRequiredService<ILogger<RouteAudit>>());
        var period = services.GetRequiredService<IOptions<RoutingOptions>>().Value.AuditInterval;
        // Spread over the period, so that the shards do not ask all at once.
        if (period > TimeSpan.Zero) this.RegisterGrainTimer(AuditAsync, audit, new GrainTimerCreationOptions(period * (Random.Shared.NextDouble() + 0.5), period));
        // Who died since it answered was not reported to a shard that was not open.
        foreach (var gateway in shard.Gateways().Keys.Where(gateways.HasGone)) shard.Forget(gateway);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Close(Number);
        shard.Close();
        try
        {
            // What this process' own publishers routed directly must not be overtaken by what the next activation routes.
            await shard.WhenDeliveredAsync().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Who does not answer for so long is dead, or waits for the store.
        }
    }

    /// <summary>Leaves for another silo: after <see cref="OnDeactivateAsync"/>, so nothing changes any more.</summary>
    public void OnDehydrate(IDehydrationContext context)
    {
        context.TryAddValue("routes", shard.Snapshot());
        context.TryAddValue("seen", seen.All().Where(one => one.Answer.Done.IsCompletedSuccessfully)
            .Select(one => new SeenBatch(one.Link, one.Number, one.Answer.Codes)).ToArray());
    }

    public void OnRehydrate(IRehydrationContext context)
    {
        if (!context.TryGetValue<RouteChange[]>("routes", out var routes) || !context.TryGetValue<SeenBatch[]>("seen", out var batches)) return;
        shard.TryChange(routes);
        foreach (var batch in batches!) seen.Add(batch.Link, batch.Number, (Task.CompletedTask, batch.Codes));
        carried = true;
    }

    public Task MoveTo(SiloAddress silo) => this.MigrateTo(silo);

    public Task<MatchedRoute[]> Explain(TopicName topic) => Task.FromResult(shard.Explain(topic));

    public Task Ping() => Task.CompletedTask;

    public Task Change(RouteChange[] changes)
    {
        if (!shard.TryChange(changes)) throw new InvalidOperationException("The shard leaves this process.");
        return Task.CompletedTask;
    }

    public async Task<ReasonCode[]> Publish(PublishBatch batch)
    {
        // One that failed may be carried out again.
        if (!seen.Contains(batch.Link, batch.Number, out var answer) || answer.Done is { IsFaulted: true })
        {
            var codes = new ReasonCode[batch.Messages.Length];
            seen.Add(batch.Link, batch.Number, answer = (RouteAsync(batch.Messages, codes), codes));
        }

        if (answer.Done is null) return []; // older than the last: nobody waits for it
        await answer.Done;
        return answer.Codes;
    }

    public Task Redispatch(TopicFilter filter, ApplicationMessage[] messages)
    {
        var routes = new List<ulong>();
        foreach (var message in messages)
        {
            routes.Clear();
            shard.TryRedispatch(filter, message, routes);
            DeliverHere(message, [.. routes]);
        }

        return Task.CompletedTask;
    }

    private static async Task AuditAsync(RouteAudit audit, CancellationToken cancellation)
    {
        try
        {
            await audit.RunAsync(cancellation);
        }
        catch (Exception fault) when (PassingFault.Is(fault))
        {
            // Whoever could not answer is asked the next time.
        }
    }

    private async Task RecoverAsync(CancellationToken cancellation)
    {
        using var activity = BrokerActivities.RecoverShard(Number);
        foreach (var (clientId, subscription) in await store.LoadSubscriptionsAsync(Number))
        {
            var change = new RouteChange(TopicFilter.Parse(subscription.Filter), RouteDestination.OfSession(clientId), (ulong)subscription.Number);
            shard.TryChange([change]);
        }

        foreach (var (_, routes) in await gateways.AskAllAsync(gateway => gateway.RoutesOf(Number), cancellation)) shard.TryChange(routes);
    }

    private async Task RouteAsync(ApplicationMessage[] messages, ReasonCode[] codes)
    {
        var receipts = new TaskReceipt?[messages.Length];
        var chosen = new List<ulong>();
        for (var i = 0; i < messages.Length; i++)
        {
            var message = messages[i];
            if (!shard.TryMatch(message.Topic, out var match)) throw new InvalidOperationException("The shard leaves this process.");
            if (match.DestinationCount == 0)
            {
                if (!message.Topic.IsSystem) hooks.CountDropped(message);
                codes[i] = ReasonCode.NoMatchingSubscribers;
                continue;
            }

            var receipt = message.Qos != Qos.AtMostOnce && match.NeedsReceipt ? receipts[i] = new TaskReceipt() : null;
            chosen.Clear();
            using var activity = message.TraceParent is null ? null : MessageActivities.Dispatch(ref message, match.DestinationCount);
            DeliverHere(message, match.Dispatch(message, receipt, chosen));
            if (chosen.Count > 0) DeliverHere(message, [.. chosen]);
            receipt?.Answer(ReasonCode.Success);
        }

        for (var i = 0; i < messages.Length; i++)
        {
            if (receipts[i] is { } receipt) codes[i] = await receipt.Completion;
        }
    }

    /// <summary>The gateway that shares this process, if there is one.</summary>
    private void DeliverHere(ApplicationMessage message, ulong[] routes)
    {
        if (routes.Length > 0) services.GetService<ILocalGateway>()?.Deliver(message, routes);
    }
}

/// <summary>A batch that was routed, as a shard takes it along.</summary>
[GenerateSerializer, Immutable, Alias("SeenBatch")]
internal readonly record struct SeenBatch([property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] ReasonCode[] Codes);
