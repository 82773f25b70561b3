using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Services;

namespace Broker.Grains.Gateways;

/// <inheritdoc cref="IGatewayService"/>
/// <remarks>Every process has one; where there is no gateway it has no routes and no clients. Requests interleave at awaits, of which
/// <see cref="Deliver"/> and <see cref="Pipe"/> have none, so batches are taken whole and in order.</remarks>
[Reentrant]
internal sealed class GatewayService(GrainId id, Silo silo, ILoggerFactory loggers, IServiceProvider services)
    : GrainService(id, silo, loggers), IGatewayService
{
    private readonly ReceivedBatches<bool> delivered = new(services.GetRequiredService<TimeProvider>());
    private readonly ReceivedBatches<bool> piped = new(services.GetRequiredService<TimeProvider>());

    private ILocalGateway? Gateway => services.GetService<ILocalGateway>();

    public Task Deliver(DeliveryBatch batch)
    {
        if (delivered.Contains(batch.Link, batch.Number, out _)) return Task.CompletedTask;
        delivered.Add(batch.Link, batch.Number, true);
        if (Gateway is { } gateway)
        {
            foreach (var (message, routes) in batch.Messages) gateway.Deliver(message, routes);
        }

        return Task.CompletedTask;
    }

    public Task Pipe(PipeBatch batch)
    {
        if (piped.Contains(batch.Link, batch.Number, out _)) return Task.CompletedTask;
        piped.Add(batch.Link, batch.Number, true);
        Gateway?.Pipe(batch.Items);
        return Task.CompletedTask;
    }

    public Task<RouteChange[]> RoutesOf(int shard) => Gateway?.RoutesOfAsync(shard) ?? Task.FromResult<RouteChange[]>([]);

    public Task<RouteDigest> DigestOf(int shard) => Gateway?.DigestOfAsync(shard) ?? Task.FromResult(default(RouteDigest));

    public Task<ClientRegistration[]> ClientsOf(int partition) => Task.FromResult(Gateway?.ClientsOf(partition) ?? []);

    public Task Close(ulong connection, ReasonCode code) => Gateway?.CloseAsync(connection, code) ?? Task.CompletedTask;
}

/// <inheritdoc cref="IGatewayClient"/>
internal sealed class GatewayClient(IServiceProvider services) : GrainServiceClient<IGatewayService>(services), IGatewayClient
{
    public IGatewayService At(SiloAddress gateway) => GetGrainService(gateway);
}
