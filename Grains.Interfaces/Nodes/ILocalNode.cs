namespace Broker.Grains.Interfaces.Nodes;

/// <summary>What answers for this process. Thread-safe; does not block.</summary>
public interface ILocalNode
{
    /// <inheritdoc cref="INodeService.Read"/>
    Task<NodePage> ReadAsync(NodeQuery query);

    /// <inheritdoc cref="INodeService.Do"/>
    Task<NodeResult> DoAsync(NodeCommand command);
}
