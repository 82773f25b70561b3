using Broker.Grains.Interfaces.Nodes;

namespace Broker.Grains.Nodes;

/// <inheritdoc cref="ILocalNode"/>
internal sealed class LocalNode(IEnumerable<INodeResource> resources, NodeIdentity self) : ILocalNode
{
    private readonly Dictionary<string, INodeResource> resources = resources.ToDictionary(one => one.Resource, StringComparer.Ordinal);

    public async Task<NodePage> ReadAsync(NodeQuery query)
    {
        if (!resources.TryGetValue(query.Resource, out var resource)) return new NodePage(self.Name, [], 0, HasMore: false); // it holds none, or is of another version
        try
        {
            return await resource.ReadAsync(self.Name, query);
        }
        catch (FormatException wrong)
        {
            return new NodePage(self.Name, [], 0, HasMore: false) { Fault = wrong.Message };
        }
    }

    public Task<NodeResult> DoAsync(NodeCommand command) =>
        resources.TryGetValue(command.Resource, out var resource) ? resource.DoAsync(self.Name, command) : Task.FromResult(new NodeResult(self.Name, 0));
}
