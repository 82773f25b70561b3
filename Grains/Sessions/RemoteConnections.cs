using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Sessions;

/// <summary>Does what connections in other processes ask of the durable sessions in this one. Called for one batch at a time.</summary>
internal sealed partial class RemoteConnections(LocalSessions sessions, PipeLinks links, ILogger<RemoteConnections> log)
{
    private readonly HashSet<RemotePipe> telling = [];

    /// <summary>Executes commands in order.</summary>
    /// <param name="gateway">The process of the connections.</param>
    /// <returns>The connections whose session is not here, or has another connection.</returns>
    public RefusedConnection[] Execute(SiloAddress gateway, SessionCommand[] commands)
    {
        List<RefusedConnection>? refused = null;
        foreach (ref readonly var command in commands.AsSpan())
        {
            if (Execute(new ClientLocation(gateway, command.Connection), command) is { } code) (refused ??= []).Add(new RefusedConnection(command.Connection, code));
        }

        foreach (var pipe in telling) pipe.TellQueueLength();
        telling.Clear();
        return refused?.ToArray() ?? [];
    }

    /// <returns>Null if it was done; otherwise what the client is to be told.</returns>
    private ReasonCode? Execute(in ClientLocation from, in SessionCommand command)
    {
        // Moved, or lost and not loaded again: the client finds it by connecting again.
        if (sessions.Find(command.ClientId) is not { } session) return ReasonCode.ServerShuttingDown;
        try
        {
            if (command.Kind == SessionCommandKind.Attach)
            {
                return session.Owner.TryAttach(new RemotePipe(session, from, links.To(from.Gateway))) ? null : ReasonCode.SessionTakenOver;
            }

            if (session.Owner.TryExecute(from, command) is not { } pipe) return ReasonCode.SessionTakenOver;
            if (pipe.TellsQueueLength) telling.Add(pipe);
            return null;
        }
        catch (Exception error) // the boundary of this connection: the batch is others' as well
        {
            LogFailed(log, error, command.ClientId, command.Kind);
            return ReasonCode.UnspecifiedError;
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Failed for client {ClientId} at {Kind}.")]
    private static partial void LogFailed(ILogger log, Exception error, string clientId, SessionCommandKind kind);
}
