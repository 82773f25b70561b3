using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Services;

namespace Broker.Grains.Nodes;

/// <inheritdoc cref="INodeService"/>
/// <remarks>Works on the thread pool: a look through a million clients must not hold up other calls.</remarks>
[Reentrant]
internal sealed class NodeService(GrainId id, Silo silo, ILoggerFactory loggers, ILocalNode node) : GrainService(id, silo, loggers), INodeService
{
    public Task<NodePage> Read(NodeQuery query) => Task.Run(() => node.ReadAsync(query));

    public Task<NodeResult> Do(NodeCommand command) => Task.Run(() => node.DoAsync(command));
}

/// <inheritdoc cref="INodeClient"/>
internal sealed class NodeClient(IClusterMembershipService membership, ILocalSiloDetails self, IServiceProvider services) : GrainServiceClient<INodeService>(services), INodeClient
{
    public SiloAddress Self => self.SiloAddress;

    public NodeMember[] Members =>
    [
        .. membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active)
            .Select(member => new NodeMember(member.SiloAddress, member.Name)).OrderBy(member => member.Address),
    ];

    public INodeService At(SiloAddress node) => GetGrainService(node);
}
