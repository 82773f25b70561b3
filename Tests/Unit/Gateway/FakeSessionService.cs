using System.Threading.Channels;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Tests.Unit.Gateway;

/// <summary>The sessions of another process; the test answers each call.</summary>
internal sealed class FakeSessionService : ISessionService, ISessionClient
{
    private readonly Channel<Call> calls = Channel.CreateUnbounded<Call>();

    public ISessionService At(SiloAddress silo) => this;

    public Task<RefusedConnection[]> Execute(SessionCommandBatch batch)
    {
        var call = new Call(batch);
        calls.Writer.TryWrite(call);
        return call.Answer.Task;
    }

    public async Task<Call> NextAsync() => await calls.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>A call that has come already.</summary>
    public bool TryNext(out Call call) => calls.Reader.TryRead(out call!);

    /// <summary>One call.</summary>
    internal sealed class Call(SessionCommandBatch batch)
    {
        public TaskCompletionSource<RefusedConnection[]> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SessionCommandBatch Batch => batch;

        /// <summary>The commands: `Acknowledge 5`.</summary>
        public string[] Commands => [.. batch.Commands.Select(command =>
            $"{command.Kind}{(command.PacketIdentifier == 0 ? "" : $" #{command.PacketIdentifier}")}{(command.Number == 0 ? "" : $" {command.Number}")}")];

        public void Succeed(params RefusedConnection[] refused) => Answer.SetResult(refused);

        public void Fail() => Answer.SetException(new TimeoutException("as the test wants"));
    }
}
