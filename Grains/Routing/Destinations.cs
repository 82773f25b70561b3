using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Grains.Routing;

/// <summary>Makes destinations: a link for each other gateway, and for each durable session.</summary>
internal sealed class DestinationFactory(ILocalSiloDetails silo, ISiloStatusOracle silos, IGatewayClient gateways, IGrainFactory grains, LocalSessions sessions, IServiceProvider services, LatencyInstruments latencies, TimeProvider time)
    : IDestinationFactory
{
    public IDestination? Create(RouteDestination destination) =>
        destination.ClientId is { } clientId ? new SessionDestination(clientId, sessions, grains, latencies, time)
        : destination.Gateway!.Equals(silo.SiloAddress) ? null
        : new GatewayDestination(destination.Gateway, gateways.At(destination.Gateway), silos, latencies, time);

    public void DeliverHere(ApplicationMessage message, ulong[] routes) => services.GetService<ILocalGateway>()?.Deliver(message, routes);
}

/// <summary>The transient sessions of a gateway in another process.</summary>
internal sealed class GatewayDestination(SiloAddress silo, IGatewayService gateway, ISiloStatusOracle silos, LatencyInstruments latencies, TimeProvider time)
    : BatchLink<GatewayDestination.Item>(capacity: 100_000, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(30), time), IDestination
{
    public bool NeedsReceipt => true;

    protected override bool IsGone => silos.IsDeadSilo(silo);

    public void Deliver(ApplicationMessage message, ulong[] routes, SharedBody? body, PublishReceipt? receipt, SharedGroup? group)
    {
        receipt?.Expect();
        BrokerCounters.Add(Metric.MessagesForward);
        if (TryEnqueue(new Item(new RoutedMessage(message, routes), receipt, group))) return;
        BrokerCounters.Add(Metric.MessagesDroppedLinkFull);
        receipt?.Answer(ReasonCode.QuotaExceeded);
    }

    protected override async Task SendAsync(Item[] batch, long batchNumber)
    {
        await gateway.Deliver(new DeliveryBatch(Id, batchNumber, Array.ConvertAll(batch, item => item.Message)));
        foreach (var item in batch) item.Receipt?.Answer(ReasonCode.Success);
    }

    protected override void OnAnswered(TimeSpan took) => latencies.Answered("gateway", took);

    /// <summary>The gateway has gone, and its transient sessions with it: nobody is left who could miss the message, but for other members of a group.</summary>
    protected override void OnGivenUp(Item[] batch, Exception error)
    {
        foreach (var (message, receipt, group) in batch)
        {
            group?.DispatchInstead(this, message.Message, receipt);
            receipt?.Answer(ReasonCode.Success);
        }
    }

    internal readonly record struct Item(RoutedMessage Message, PublishReceipt? Receipt, SharedGroup? Group);
}

/// <summary>One durable session: directly if its grain is in this process, by a batched link if not.</summary>
internal sealed class SessionDestination(string clientId, LocalSessions sessions, IGrainFactory grains, LatencyInstruments latencies, TimeProvider time)
    : BatchLink<SessionDestination.Item>(capacity: 100_000, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(60), time), IDestination
{
    private DurableSession? known;

    public bool NeedsReceipt => true;

    public void Deliver(ApplicationMessage message, ulong[] routes, SharedBody? body, PublishReceipt? receipt, SharedGroup? group)
    {
        if (IsIdle)
        {
            var here = known ?? sessions.Find(clientId);
            if (here is not null && here.TryEnqueue(message, routes, body, receipt))
            {
                known = here;
                return;
            }

            known = null;
        }

        receipt?.Expect();
        if (TryEnqueue(new Item(new RoutedToSession(message, routes), receipt))) return;
        BrokerCounters.Add(Metric.MessagesDroppedLinkFull);
        receipt?.Answer(ReasonCode.QuotaExceeded);
    }

    protected override async Task SendAsync(Item[] batch, long batchNumber)
    {
        var grain = grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId));
        var codes = await grain.Enqueue(new SessionBatch(Id, batchNumber, Array.ConvertAll(batch, item => item.Message)));
        for (var i = 0; i < batch.Length; i++) batch[i].Receipt?.Answer(codes[i]);
    }

    protected override void OnAnswered(TimeSpan took) => latencies.Answered("session", took);

    protected override void OnGivenUp(Item[] batch, Exception error)
    {
        BrokerCounters.Add(Metric.MessagesDroppedLinkFull, batch.Length);
        foreach (var item in batch) item.Receipt?.Answer(ReasonCode.ServerBusy);
    }

    internal readonly record struct Item(RoutedToSession Message, PublishReceipt? Receipt);
}
