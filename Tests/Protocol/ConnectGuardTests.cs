using System.Diagnostics;
using Broker.Gateway.History;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Bans;
using Broker.Gateway.Security.Guard;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What stands before authentication, bans and how many may come, and how failures are answered behind it.</summary>
public sealed class ConnectGuardTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("ClientId", "id", 5, 0x8A)]
    [InlineData("ClientId", "id", 4, 5)]
    [InlineData("UserName", "user", 5, 0x8A)]
    [InlineData("Address", "127.0.0.0/8", 5, 0x8A)]
    [InlineData("Address", "127.0.0.1", 3, 5)]
    [InlineData("Address", "10.0.0.0/8", 5, 0)]
    [InlineData("ClientId", "other", 5, 0)]
    public async Task BannedClientIsRefused_UntilTheBanEndsOrIsLifted(string kind, string who, int level, int code)
    {
        await using var broker = await BrokerHost.StartAsync([]);
        var bans = broker.Services.GetRequiredService<IBanList>();
        await bans.BanAsync(Ban(broker, Enum.Parse<BanKind>(kind), who));
        Assert.Equal(code, await ConnectAsync(broker, level: level));
        if (code == 0) return;
        var refusal = broker.Services.GetRequiredService<FlightRecorder>().Of("id").Last();
        Assert.Equal((ReasonCode.Banned, "operator"), (refusal.Code, refusal.Source));
        Assert.StartsWith("because", refusal.Reason, StringComparison.Ordinal);
        Assert.True(await bans.UnbanAsync(Enum.Parse<BanKind>(kind), who));
        Assert.False(await bans.UnbanAsync(Enum.Parse<BanKind>(kind), who));
        Assert.Equal(0, await ConnectAsync(broker, level: level));
        await bans.BanAsync(Ban(broker, Enum.Parse<BanKind>(kind), who));
        broker.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, await ConnectAsync(broker, level: level));
        await EventuallyAsync(() => broker.Services.GetRequiredService<BanTable>().Count == 0); // removed by their owner
    }

    [Fact]
    public async Task BansOutliveARestart_AndBadAddressesAreRefused()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        await Assert.ThrowsAsync<FormatException>(async () => await broker.Services.GetRequiredService<IBanList>().BanAsync(Ban(broker, BanKind.Address, "10.0.0.0/33")));
        await broker.Services.GetRequiredService<IBanList>().BanAsync(Ban(broker, BanKind.ClientId, "id"));
        await broker.RestartAsync();
        Assert.Equal(0x8A, await ConnectAsync(broker));
    }

    [Fact]
    public async Task ConnectedClientStays_WhenItIsBanned()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        await using var client = await RawClient.ConnectAsync(broker, "id");
        await broker.Services.GetRequiredService<IBanList>().BanAsync(Ban(broker, BanKind.ClientId, "id"));
        await client.SubscribeAsync("a");
    }

    [Fact]
    public async Task ClientThatFlapsIsBanned()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["Security:Flapping:Enabled"] = "true", ["Security:Flapping:MaxDisconnects"] = "5", ["Security:Flapping:BanTime"] = "00:05:00",
        });
        for (var i = 0; i < 5; i++)
        {
            await using var client = await RawClient.ConnectAsync(broker, "id");
        }

        await EventuallyAsync(() => broker.Services.GetRequiredService<BanTable>().Count == 1);
        Assert.Equal(0x8A, await ConnectAsync(broker));
        Assert.Equal(0, await ConnectAsync(broker, "other"));
        Assert.Equal("flapping detector", broker.Services.GetRequiredService<FlightRecorder>().Of("id").Last().Source);
        broker.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, await ConnectAsync(broker));
    }

    [Fact]
    public async Task NobodyIsBanned_WhenFlappingIsNotLookedFor()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Security:Flapping:MaxDisconnects"] = "2" });
        for (var i = 0; i < 10; i++) Assert.Equal(0, await ConnectAsync(broker));
    }

    [Theory]
    [InlineData(5, 0x9F)]
    [InlineData(4, 3)]
    public async Task ConnectsAboveTheRateAreRefused_AndTheLastOfThemAreForThoseWhoResume(int level, int code)
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Gateway:MaxConnectRate"] = "8" });
        var began = Stopwatch.GetTimestamp();
        var codes = new List<int>();
        for (var i = 0; i < 60; i++) codes.Add(await ConnectAsync(broker, $"c{i}", level));
        var earned = 8 * Stopwatch.GetElapsedTime(began).TotalSeconds;
        Assert.InRange(codes.Count(one => one == 0), 6, 7 + (int)earned);
        Assert.Contains(code, codes);
        Assert.All(codes.Where(one => one != 0), one => Assert.Equal(code, one));
        Assert.Equal(0, await ConnectAsync(broker, "resumes", level, cleanStart: false));
        broker.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, await ConnectAsync(broker, level: level));
    }

    [Theory]
    [InlineData(5, 0x89)]
    [InlineData(4, 3)]
    public async Task ConnectsAreRefusedAtOnce_WhileTooManyAuthenticationsHang(int level, int code)
    {
        var source = new Slow();
        await using var broker = await BrokerHost.StartAsync(
            new() { ["Gateway:MaxPendingConnects"] = "16", ["Gateway:MaxConnectWait"] = "00:00:10" }, services => services.AddSingleton<IAuthenticator>(source));
        await using var traffic = await RawClient.ConnectAsync(broker, "traffic");
        await traffic.SubscribeAsync("t");
        var hanging = Enumerable.Range(0, 12).Select(i => ConnectAsync(broker, $"c{i}", level, user: "slow")).ToList();
        await EventuallyAsync(() => source.Asked == 12);
        Assert.Equal(code, await ConnectAsync(broker, "c12", level, user: "slow"));
        hanging.Add(ConnectAsync(broker, "c13", level, user: "slow", cleanStart: false)); // the last quarter
        await EventuallyAsync(() => source.Asked == 13);
        await traffic.SendAsync(WirePacket.Publish("t", "x", Qos.AtMostOnce, 0));
        await traffic.ExpectAsync(PacketType.Publish);
        source.Answer();
        Assert.All(await Task.WhenAll(hanging), one => Assert.Equal(0, one));
        Assert.Equal(0, await ConnectAsync(broker, "c14", level));
    }

    [Theory]
    [InlineData(5, 0x89)]
    [InlineData(4, 3)]
    public async Task AuthenticationThatTakesTooLongIsGivenUp(int level, int code)
    {
        var source = new Slow();
        await using var broker = await BrokerHost.StartAsync(new() { ["Gateway:MaxConnectWait"] = "00:00:01" }, services => services.AddSingleton<IAuthenticator>(source));
        Assert.Equal(code, await ConnectAsync(broker, level: level, user: "slow"));
        source.Answer();
        Assert.Equal(0, await ConnectAsync(broker, level: level));
    }

    [Fact]
    public async Task FailuresAreAnsweredLater_AndSuccessesAtOnce()
    {
        await using var broker = await BrokerHost.StartAsync(
            new() { ["Security:BruteForce:Failures"] = "3", ["Security:BruteForce:MaxDelay"] = "00:00:32" }, services => services.AddSingleton<IAuthenticator>(new Slow()));
        for (var i = 0; i < 3; i++) Assert.Equal(0x86, await ConnectAsync(broker, user: "wrong"));
        var guard = broker.Services.GetRequiredService<BruteForceGuard>();
        var clock = Stopwatch.StartNew();
        Assert.Equal(0x86, await ConnectAsync(broker, user: "wrong")); // a second
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(8));
        var second = ConnectAsync(broker, user: "wrong"); // two seconds
        await EventuallyAsync(() => guard.Delayed == 1);
        Assert.Equal(0, await ConnectAsync(broker, "other")); // nobody vouches for it: forgets nothing
        Assert.False(second.IsCompleted);
        Assert.Equal(0, await ConnectAsync(broker, "third", user: "right")); // forgets the address
        Assert.Equal(0x86, await second);
        await EventuallyAsync(() => guard.Delayed == 0);
        Assert.Equal(0, broker.Services.GetRequiredService<HandshakeAdmission>().Running);
    }

    [Fact]
    public async Task ConnectionIsClosedWithoutAnAnswer_WhenTooManyRefusalsWait()
    {
        await using var broker = await BrokerHost.StartAsync(
            new() { ["Security:BruteForce:Failures"] = "1", ["Security:BruteForce:MaxDelay"] = "00:01:00", ["Security:BruteForce:MaxDelayed"] = "1" },
            services => services.AddSingleton<IAuthenticator>(new Slow()));
        Assert.Equal(0x86, await ConnectAsync(broker, user: "wrong"));
        await using var waits = await RawClient.OpenAsync(broker);
        await waits.SendAsync(WirePacket.Connect("id", userName: "wrong"));
        await EventuallyAsync(() => broker.Services.GetRequiredService<BruteForceGuard>().Delayed == 1);
        await using var closed = await RawClient.OpenAsync(broker);
        await closed.SendAsync(WirePacket.Connect("id", userName: "wrong"));
        await closed.ExpectClosedAsync();
    }

    private static Ban Ban(BrokerHost broker, BanKind kind, string who)
    {
        var now = broker.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        return new Ban(kind, who, "operator", "because", now, now.AddMinutes(5));
    }

    private static async Task<int> ConnectAsync(BrokerHost broker, string clientId = "id", int level = 5, bool cleanStart = true, string user = "user")
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect(clientId, level, cleanStart, userName: user));
        return (int)(await client.ExpectAsync(PacketType.Connack)).Code;
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition()) await Task.Delay(20, limit.Token);
    }

    /// <summary>Knows the users `right` and `wrong`, and hangs at `slow` until it is told to answer.</summary>
    private sealed class Slow : IAuthenticator
    {
        private readonly TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public string Name => "slow";

        public void Answer() => answer.SetResult();

        public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
        {
            if (client.UserName == "wrong") return AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, "wrong");
            if (client.UserName == "right") return AuthenticationResult.Allow();
            if (client.UserName != "slow") return AuthenticationResult.Ignore;
            Interlocked.Increment(ref asked);
            await answer.Task;
            return AuthenticationResult.Allow();
        }
    }
}
