using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Tests.Unit.Grains.Storage;

namespace Broker.Tests.Unit.Grains.Sessions;

/// <summary>A durable session `c` on a store of its own, subscribed to `a` at QoS 2 as number 1.</summary>
internal sealed class SessionFixture : IAsyncDisposable
{
    public static readonly ulong[] Matched = [1];

    private SessionFixture(TestStore store, DurableSession session) => (Test, Session) = (store, session);

    public TestStore Test { get; }

    public DurableSession Session { get; }

    public RecordingPipe Pipe { get; } = new();

    public static async Task<SessionFixture> OpenAsync(
        string? path = null, SessionLimits? limits = null, TimeProvider? clock = null, StoreOptions? options = null)
    {
        var store = await TestStore.OpenAsync(path, options);
        var stored = await store.OpenSessionAsync("c");
        return new SessionFixture(store, Make("c", stored, store, limits, clock));
    }

    public static DurableSession Make(string clientId, StoredSession stored, TestStore store, SessionLimits? limits = null, TimeProvider? clock = null)
    {
        var session = new DurableSession(clientId, stored, limits ?? new SessionLimits(), store.Store, new ShardMap(64, 2), NoBrokerHooks.Instance, clock ?? TimeProvider.System);
        session.Subscriptions.Set(new SessionSubscription("a", 1, 0, new SubscriptionOptions(Qos.ExactlyOnce, Identifier: 9)));
        return session;
    }

    /// <summary>The store is closed and opened again, as after a restart.</summary>
    public async Task<SessionFixture> ReopenAsync(SessionLimits? limits = null)
    {
        await Test.DisposeAsync();
        return await OpenAsync(Test.Place, limits);
    }

    /// <summary>Publishes to the session; the result is the publisher's answer.</summary>
    public Task<ReasonCode> Send(string text, Qos qos, long expiresAt = 0) => Send(Session, text, qos, expiresAt);

    public static Task<ReasonCode> Send(DurableSession session, string text, Qos qos, long expiresAt = 0)
    {
        var receipt = new TaskReceipt();
        Xunit.Assert.True(session.TryEnqueue(TestMessage.On("a", text, qos, expiresAt), Matched, null, receipt));
        receipt.Answer(ReasonCode.Success);
        return Within(receipt.Completion);
    }

    public Task<ReasonCode> Receive(ushort identifier, ReceiveOutcome expected)
    {
        var receipt = new TaskReceipt();
        Xunit.Assert.Equal(expected, Session.TryReceive(identifier, receipt, out _));
        receipt.Answer(ReasonCode.Success);
        return Within(receipt.Completion);
    }

    public Task<ReasonCode> Release(ushort identifier)
    {
        var receipt = new TaskReceipt();
        Xunit.Assert.True(Session.Release(identifier, receipt));
        receipt.Answer(ReasonCode.Success);
        return Within(receipt.Completion);
    }

    public Task FlushAsync() => Test.Store.FlushAsync().WaitAsync(TimeSpan.FromSeconds(20));

    public ValueTask DisposeAsync() => Test.DisposeAsync();

    private static Task<ReasonCode> Within(Task<ReasonCode> answer) => answer.IsCompleted ? answer : answer.WaitAsync(TimeSpan.FromSeconds(20));
}
