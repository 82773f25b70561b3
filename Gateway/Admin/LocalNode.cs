using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin;

/// <summary>One kind of thing that this process answers for.</summary>
internal interface INodeResource
{
    /// <summary>What queries and commands call it.</summary>
    string Resource { get; }

    /// <summary>Reads what a query asks for. On the thread pool.</summary>
    NodePage Read(string node, NodeQuery query);

    /// <summary>Does what a command says.</summary>
    Task<NodeResult> DoAsync(string node, NodeCommand command) => Task.FromResult(new NodeResult(node, 0, $"'{command.Action}' is not known"));
}

/// <inheritdoc cref="ILocalNode"/>
internal sealed class LocalNode(IEnumerable<INodeResource> resources, IOptions<GatewayOptions> gateway) : ILocalNode
{
    private readonly Dictionary<string, INodeResource> resources = resources.ToDictionary(one => one.Resource, StringComparer.Ordinal);

    /// <summary>This process's name.</summary>
    public string Name { get; } = gateway.Value.NodeName;

    public Task<NodePage> ReadAsync(NodeQuery query) =>
        Task.FromResult(resources.TryGetValue(query.Resource, out var resource) ? resource.Read(Name, query) : new NodePage(Name, [], 0, false) { Fault = Unknown(query.Resource) });

    public Task<NodeResult> DoAsync(NodeCommand command) =>
        resources.TryGetValue(command.Resource, out var resource) ? resource.DoAsync(Name, command) : Task.FromResult(new NodeResult(Name, 0, Unknown(command.Resource)));

    /// <summary>A process of another version asks.</summary>
    private static string Unknown(string resource) => $"'{resource}' is not known";
}
