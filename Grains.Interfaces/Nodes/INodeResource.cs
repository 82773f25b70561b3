namespace Broker.Grains.Interfaces.Nodes;

/// <summary>One kind of thing that this process answers for. Thread-safe; called on the thread pool.</summary>
public interface INodeResource
{
    /// <summary>What queries and commands call it.</summary>
    string Resource { get; }

    /// <summary>Reads what a query asks for.</summary>
    /// <exception cref="FormatException">What is asked for is not understood; the message says why.</exception>
    ValueTask<NodePage> ReadAsync(string node, NodeQuery query);

    /// <summary>Does what a command says.</summary>
    Task<NodeResult> DoAsync(string node, NodeCommand command) => Task.FromResult(new NodeResult(node, 0, $"'{command.Action}' is not known"));
}
