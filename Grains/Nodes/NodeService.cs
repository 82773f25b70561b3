using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Services;

namespace Broker.Grains.Nodes;

/// <inheritdoc cref="INodeService"/>
/// <remarks>Where there is no gateway it holds nothing that operators ask for. Works on the thread pool: a look through a million clients must not hold up other calls.</remarks>
[Reentrant]
internal sealed class NodeService(GrainId id, Silo silo, ILoggerFactory loggers, IServiceProvider services) : GrainService(id, silo, loggers), INodeService
{
    private ILocalNode? Node => services.GetService<ILocalNode>();

    public Task<NodePage> Read(NodeQuery query) => Node is { } node ? Task.Run(() => node.ReadAsync(query)) : Task.FromResult(new NodePage("", [], 0, HasMore: false));

    public Task<NodeResult> Do(NodeCommand command) => Node is { } node ? Task.Run(() => node.DoAsync(command)) : Task.FromResult(new NodeResult("", 0));
}

/// <inheritdoc cref="INodeClient"/>
internal sealed class NodeClient(ISiloStatusOracle silos, IServiceProvider services) : GrainServiceClient<INodeService>(services), INodeClient
{
    public SiloAddress Self => silos.SiloAddress;

    public SiloAddress[] Members => [.. silos.GetApproximateSiloStatuses(onlyActive: true).Keys];

    public INodeService At(SiloAddress node) => GetGrainService(node);
}
