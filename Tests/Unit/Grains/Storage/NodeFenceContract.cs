using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class NodeFenceContract : StoreContract
{
    [Fact]
    public async Task NothingIsStoredAnyMore_WhenNodeIsFenced()
    {
        ManualClock clock = new();
        await using var dead = await OpenAsync(clock: clock);
        await using var live = await OpenAsync(dead.Place);
        var lease = await dead.CreateAsync("c");
        await dead.WriteAsync(o => Append(lease, 1, o));
        await live.Store.FenceAsync(dead.Node);
        await live.Store.FenceAsync(dead.Node);
        var outcomes = await dead.WriteAsync(
            o => Append(lease, 2, o), o => new RemoveFromQueue(lease, 1) { Observer = o }, o => new WriteGroup(new AddReceipt(lease, 1, 1)) { Observer = o });
        Assert.Equal(3, outcomes.Count);
        Assert.All(outcomes, reason => Assert.Equal(dead.Node, Assert.IsType<NodeFencedException>(reason).Node));
        Assert.Equal(StoreHealth.Failing, dead.Store.Health);
        StoreJournal later = new();
        dead.Store.Submit(new RemoveFromQueue(lease, 1) { Observer = later });
        dead.Store.Submit(Append(lease, 3, later));
        Assert.All(later.Entries, entry => Assert.IsType<NodeFencedException>(entry.Reason));
        Assert.Equal(2, later.Entries.Count);
        await Assert.ThrowsAsync<NodeFencedException>(() => dead.Store.OpenSessionAsync("c"));
        await Assert.ThrowsAsync<NodeFencedException>(() => dead.Store.FenceAsync(live.Node));
        Assert.Equal(1, live.Count("queue"));
        var session = await live.OpenSessionAsync("c");
        Assert.Equal([null], await live.WriteAsync(o => Append(session.Lease, 2, o)));
    }

    [Fact]
    public async Task ItsConnectionsEnd_WhenNodeIsFenced()
    {
        ManualClock clock = new();
        await using var dead = await OpenAsync(clock: clock);
        await using var live = await OpenAsync(dead.Place, clock: clock);
        await SaveAsync(dead, TestStore.Header("will") with { IsConnected = true, Will = TestStore.Message(), WillDelaySeconds = 30, ExpiryIntervalSeconds = 60 });
        await SaveAsync(dead, TestStore.Header("end") with { IsConnected = true, ExpiryIntervalSeconds = 10 });
        await SaveAsync(dead, TestStore.Header("never") with { IsConnected = true, ExpiryIntervalSeconds = SessionHeader.NeverExpires });
        await SaveAsync(dead, TestStore.Header("away") with { DisconnectedAt = 5, ExpiresAt = 6, ExpiryIntervalSeconds = 1 });
        await dead.Store.OpenSessionAsync("created", TestStore.Header("created") with { IsConnected = true, ExpiryIntervalSeconds = 20 });
        await SaveAsync(live, TestStore.Header("elsewhere") with { IsConnected = true, ExpiryIntervalSeconds = 10 });
        await SaveAsync(live, TestStore.Header("moved") with { IsConnected = true, ExpiryIntervalSeconds = 10 });
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        await live.Store.FenceAsync(dead.Node);
        Assert.Equal(["away", "end", "created", "will"], await live.Store.ListDueAsync(now + 1_000_000, 10));
        Assert.Equal(["away", "end"], await live.Store.ListDueAsync(now + 10_000, 10));
        var will = (await live.OpenSessionAsync("will")).Header;
        Assert.Equal((false, now, now + 30_000, now + 60_000), (will.IsConnected, will.DisconnectedAt!.Value, will.WillDueAt!.Value, will.ExpiresAt!.Value));
        var never = (await live.OpenSessionAsync("never")).Header;
        Assert.Equal((false, now, null, null), (never.IsConnected, never.DisconnectedAt!.Value, never.WillDueAt, never.ExpiresAt));
        Assert.Equal(5, (await live.OpenSessionAsync("away")).Header.DisconnectedAt);
        Assert.True((await live.OpenSessionAsync("elsewhere")).Header.IsConnected);
    }

    [Fact]
    public async Task AllIsWell_WhenSeveralFenceOneNodeAtOnce()
    {
        await using var dead = await OpenAsync();
        await using var one = await OpenAsync(dead.Place);
        await using var two = await OpenAsync(dead.Place);
        for (var i = 0; i < 50; i++) await dead.Store.OpenSessionAsync($"c{i}", TestStore.Header($"c{i}") with { IsConnected = true, ExpiryIntervalSeconds = 1 });
        await Task.WhenAll(one.Store.FenceAsync(dead.Node), two.Store.FenceAsync(dead.Node), one.Store.FenceAsync("unknown"), two.Store.FenceAsync("unknown"));
        Assert.Equal(50, (await one.Store.ListDueAsync(long.MaxValue, 100)).Count);
        Assert.Equal((StoreHealth.Healthy, StoreHealth.Healthy), (one.Store.Health, two.Store.Health));
    }

    [Fact]
    public async Task WillsAreFound_WhenTheirNodeIsGone()
    {
        await using var dead = await OpenAsync();
        await using var live = await OpenAsync(dead.Place);
        var message = TestStore.Message("will/topic", "gone");
        await dead.WriteAsync(
            o => new SaveWill(new StoredWill("a", 1, TestStore.Message(), 0, null)) { Observer = o },
            o => new SaveWill(new StoredWill("a", 1, message, 30, 60)) { Observer = o },
            o => new SaveWill(new StoredWill("a", 2, message, 0, null)) { Observer = o },
            o => new SaveWill(new StoredWill("b", 1, message, 0, null)) { Observer = o },
            o => new RemoveWill("a", 2) { Observer = o },
            o => new RemoveWill("nobody", 2) { Observer = o });
        await live.WriteAsync(o => new SaveWill(new StoredWill("c", 1, message, 0, null)) { Observer = o });
        await live.Store.FenceAsync(dead.Node);
        Assert.Equal([dead.Node], await live.Store.ListNodesWithWillsAsync());
        var wills = (await live.Store.ListWillsAsync(dead.Node)).OrderBy(will => will.ClientId).ToArray();
        Assert.Equal([("a", 1L, 30u, 60u), ("b", 1L, 0u, null)], wills.Select(will => (will.ClientId, will.ConnectionNumber, will.DelaySeconds, will.ExpirySeconds)));
        Assert.Equal("will/topic", wills[0].Message.Topic.Text);
        await live.WriteAsync(o => new RemoveWill("a", 1) { Observer = o }, o => new RemoveWill("b", 1) { Observer = o });
        Assert.Empty(await live.Store.ListNodesWithWillsAsync());
        Assert.Equal("c", Assert.Single(await live.Store.ListWillsAsync(live.Node)).ClientId);
    }

    private static async Task SaveAsync(TestStore test, SessionHeader header)
    {
        var lease = await test.CreateAsync(header.ClientId);
        Assert.Equal([null], await test.WriteAsync(o => new SaveSession(lease, header) { Observer = o }));
    }

    private static AppendToQueue Append(SessionLease lease, long sequence, IStoreObserver observer) =>
        new(lease, sequence, TestStore.Message(), Qos.AtLeastOnce) { Observer = observer };
}
