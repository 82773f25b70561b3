using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Broker.Grains.Routing;

/// <inheritdoc cref="ITopicShardGrain"/>
/// <remarks>Reentrant: a publish waits for sessions and gateways, and a session that subscribes meanwhile calls back here. What stays true:
/// the routes are changed and read under <see cref="Shard"/>'s lock, and order comes from the links, which have one call in flight.</remarks>
[Reentrant, KeepAlive]
internal sealed class TopicShardGrain : Grain, ITopicShardGrain
{
    private readonly LocalShards local;
    private readonly BrokerStore store;
    private readonly IGatewayClient gateways;
    private readonly ISiloStatusOracle silos;
    private readonly IServiceProvider services;
    private readonly Shard shard;
    private readonly Dictionary<Guid, (long Number, Task<ReasonCode[]> Answer)> lastBatches = [];

    public TopicShardGrain(
        LocalShards local, BrokerStore store, IGatewayClient gateways, ISiloStatusOracle silos, IServiceProvider services, IDestinationFactory destinations)
    {
        (this.local, this.store, this.gateways, this.silos, this.services) = (local, store, gateways, silos, services);
        var tally = new ShardTally(Number, services.GetRequiredService<ShardMap>(), services.GetRequiredService<BrokerGauges>());
        shard = new Shard(new DestinationTable(destinations), services.GetRequiredService<IOptions<RoutingOptions>>().Value, tally);
    }

    private int Number => (int)this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RecoverAsync();
        }
        catch
        {
            shard.Close(); // what it has counted is counted again by the next activation
            throw;
        }

        local.Open(Number, shard);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Close(Number);
        shard.Close();
        return Task.CompletedTask;
    }

    public Task Ping() => Task.CompletedTask;

    public Task Change(RouteChange[] changes)
    {
        shard.TryChange(changes);
        return Task.CompletedTask;
    }

    public Task<ReasonCode[]> Publish(PublishBatch batch)
    {
        if (lastBatches.TryGetValue(batch.Link, out var last) && last.Number == batch.Number) return last.Answer;
        var answer = RouteAsync(batch.Messages);
        lastBatches[batch.Link] = (batch.Number, answer);
        return answer;
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

    private async Task RecoverAsync()
    {
        foreach (var (clientId, subscription) in await store.LoadSubscriptionsAsync(Number))
        {
            var change = new RouteChange(TopicFilter.Parse(subscription.Filter), RouteDestination.OfSession(clientId), (ulong)subscription.Number);
            shard.TryChange([change]);
        }

        foreach (var (silo, _) in silos.GetApproximateSiloStatuses(onlyActive: true)) shard.TryChange(await gateways.At(silo).RoutesOf(Number));
    }

    private async Task<ReasonCode[]> RouteAsync(ApplicationMessage[] messages)
    {
        var codes = new ReasonCode[messages.Length];
        var receipts = new TaskReceipt?[messages.Length];
        var chosen = new List<ulong>();
        for (var i = 0; i < messages.Length; i++)
        {
            var message = messages[i];
            shard.TryMatch(message.Topic, out var match);
            if (match.DestinationCount == 0)
            {
                if (!message.Topic.IsSystem) BrokerCounters.Add(Metric.MessagesDroppedNoSubscribers);
                codes[i] = ReasonCode.NoMatchingSubscribers;
                continue;
            }

            var receipt = message.Qos != Qos.AtMostOnce && match.NeedsReceipt ? receipts[i] = new TaskReceipt() : null;
            chosen.Clear();
            DeliverHere(message, match.Dispatch(message, receipt, chosen));
            if (chosen.Count > 0) DeliverHere(message, [.. chosen]);
            receipt?.Answer(ReasonCode.Success);
        }

        for (var i = 0; i < messages.Length; i++)
        {
            if (receipts[i] is { } receipt) codes[i] = await receipt.Completion;
        }

        return codes;
    }

    /// <summary>The gateway that shares this process, if there is one.</summary>
    private void DeliverHere(ApplicationMessage message, ulong[] routes)
    {
        if (routes.Length > 0) services.GetService<ILocalGateway>()?.Deliver(message, routes);
    }
}
