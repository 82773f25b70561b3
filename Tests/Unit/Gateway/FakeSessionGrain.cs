using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Tests.Unit.Gateway;

/// <summary>A session grain that agrees with everything.</summary>
internal sealed class FakeSessionGrain : ISessionGrain
{
    private readonly TaskCompletionSource<CloseSessionRequest> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the connection has left.</summary>
    public Task<CloseSessionRequest> Closed => closed.Task;

    public Task Close(CloseSessionRequest request)
    {
        closed.TrySetResult(request);
        return Task.CompletedTask;
    }

    public Task<SubscribeResult[]> Subscribe(Subscription[] subscriptions) =>
        Task.FromResult(Array.ConvertAll(subscriptions, one => new SubscribeResult((ReasonCode)one.Options.Qos, true)));

    public Task<ReasonCode[]> Unsubscribe(TopicFilter[] filters) => Task.FromResult(new ReasonCode[filters.Length]);

    public Task<OpenSessionResult> Open(OpenSessionRequest request) => throw new NotSupportedException();

    public Task<ReasonCode[]> Enqueue(SessionBatch batch) => throw new NotSupportedException();

    public Task HandleDue() => throw new NotSupportedException();

    public Task<ExplainedSession?> Explain(ulong[] subscriptions) => Task.FromResult<ExplainedSession?>(null);

    public Task<ReasonCode> Discard() => throw new NotSupportedException();
}
