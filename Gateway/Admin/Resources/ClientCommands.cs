using System.Globalization;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Limits;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Sessions;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Admin.Resources;

/// <summary>What operators do with a client that is connected to this process.</summary>
internal sealed class ClientCommands(ConnectionTable connections, SubscriptionHandler subscriptions)
{
    public const string Subscribe = "subscribe";
    public const string Unsubscribe = "unsubscribe";
    public const string LimitRates = "ratelimit";
    public const string LimitRouting = "quota";
    public const string ForgetAccess = "forget_access";

    /// <summary>Does what a command says, on the client's event loop.</summary>
    /// <remarks>The command's name is the connection's number.</remarks>
    public async Task<NodeResult> DoAsync(string node, NodeCommand command)
    {
        if (connections.Find(ulong.Parse(command.Name, CultureInfo.InvariantCulture)) is not { Phase: ConnectionPhase.Connected } connection) return new NodeResult(node, 0);
        try
        {
            var code = await await connection.Loop.AskAsync(() => RunAsync(connection, command));
            return new NodeResult(node, code < ReasonCode.UnspecifiedError ? 1 : 0, code < ReasonCode.UnspecifiedError ? null : code.ToString());
        }
        catch (RejectedExecutionException)
        {
            return new NodeResult(node, 0); // the gateway stops
        }
    }

    private Task<ReasonCode> RunAsync(Connection connection, NodeCommand command)
    {
        string? Argument(string name) => command.Arguments.FirstOrDefault(one => one.Key == name).Value;
        switch (command.Action)
        {
            case Subscribe: return subscriptions.AddAsync(connection, Argument("topic")!, new SubscriptionOptions((Qos)int.Parse(Argument("qos")!, CultureInfo.InvariantCulture)));
            case Unsubscribe: return subscriptions.RemoveAsync(connection, Argument("topic")!);
            case LimitRates:
                var (messages, bytes) = (Argument("conn_messages_in"), Argument("conn_bytes_in"));
                connection.Frames!.Limit(messages is null && bytes is null ? null : new ClientRates(Rate.Parse(messages), 0, Rate.Parse(bytes), 0));
                return Task.FromResult(ReasonCode.Success);
            case LimitRouting:
                var routing = Argument("conn_messages_routing");
                connection.LimitRouting(routing is null ? null : Rate.Parse(routing));
                return Task.FromResult(ReasonCode.Success);
            case ForgetAccess:
                connection.Access!.Forget();
                return Task.FromResult(ReasonCode.Success);
            default: return Task.FromResult(ReasonCode.ImplementationSpecificError);
        }
    }
}
