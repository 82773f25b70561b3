using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Services;

namespace Broker.Grains.Sessions;

/// <inheritdoc cref="ISessionService"/>
/// <remarks>Requests interleave at awaits, of which there are none: batches are executed whole and in order. Nothing here waits for the store;
/// what the store has done is told through the pipe, so that a store that stands still does not hold up the acknowledgements behind it.</remarks>
[Reentrant]
internal sealed class SessionService(GrainId id, Silo silo, ILoggerFactory loggers, RemoteConnections connections, TimeProvider time)
    : GrainService(id, silo, loggers), ISessionService
{
    private readonly ReceivedBatches<Task<RefusedConnection[]>> batches = new(time);

    public Task<RefusedConnection[]> Execute(SessionCommandBatch batch)
    {
        if (batches.Contains(batch.Link, batch.Number, out var before)) return before ?? Task.FromResult<RefusedConnection[]>([]);
        var answer = Task.FromResult(connections.Execute(batch.Gateway, batch.Commands));
        batches.Add(batch.Link, batch.Number, answer);
        return answer;
    }
}

/// <inheritdoc cref="ISessionClient"/>
internal sealed class SessionClient(IServiceProvider services) : GrainServiceClient<ISessionService>(services), ISessionClient
{
    public ISessionService At(SiloAddress silo) => GetGrainService(silo);
}
