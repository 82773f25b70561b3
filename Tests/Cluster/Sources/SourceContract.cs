using System.Diagnostics;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.Options;
using Xunit;
using static Broker.Tests.Cluster.Sources.SourceBroker;
using WirePacket = Broker.Tests.Protocol.Harness.WirePacket;

namespace Broker.Tests.Cluster.Sources;

/// <summary>A source of users whose real server answers over the network. It knows `emqx` with the password `public`, who may subscribe to anything of <see cref="OwnTopic"/>.</summary>
public abstract class SourceContract : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    protected abstract string Section { get; }

    /// <summary>The settings that lead to the server.</summary>
    protected abstract Dictionary<string, string?> Connection { get; }

    /// <summary>A topic that the user may use.</summary>
    protected virtual string OwnTopic => "a";

    /// <summary>What the broker answers to those whom the source does not know.</summary>
    protected virtual ReasonCode AnswerToStrangers => ReasonCode.NotAuthorized;

    [Fact]
    public async Task UserIsKnownByItsPassword_WhateverItWritesInItsName()
    {
        await using var broker = await OpenAsync();
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "public"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", "Public"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", null));
        foreach (var name in new[] { "nobody", "", "' or '1'='1", "emqx' -- ", "emqx\\", "\"", "%u", "@p0", "é\u4e2d", "emqx password", "emqx\r\nPING", "emqx)(uid=*", "*", "emqx,ou=device", "{\"$ne\":1}", "emqx&username=x" })
        {
            Assert.Equal((name, AnswerToStrangers), (name, await ConnectAsync(broker, name, "public")));
        }

        Assert.Equal(AnswerToStrangers, await ConnectAsync(broker, null, "public"));
    }

    [Theory]
    [InlineData("deny", ReasonCode.ServerUnavailable)]
    [InlineData("ignore", ReasonCode.NotAuthorized)]
    public async Task ConfiguredAnswerIsGivenWhileTheServerIsGone_AndItIsAskedAgainWhenItIsBack(string whenDown, ReasonCode answer)
    {
        await KillAsync();
        await using var broker = await OpenAsync(("WhenDown", whenDown), ("QueryTimeout", "00:00:01"), ("BreakTime", "00:00:00.5"), ("BreakAfter", "2"));
        for (var i = 0; i < 6; i++) Assert.Equal(answer, await ConnectAsync(broker, "emqx", "public"));
        await StartAsync();
        await BackAsync(broker);
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        await KillAsync();
        Assert.Equal(answer, await ConnectAsync(broker, "emqx", "public"));
        await client.SendAsync(WirePacket.Subscribe(1, OwnTopic));
        Assert.Equal(whenDown == "deny" ? ReasonCode.NotAuthorized : ReasonCode.Success, (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code);
        await StartAsync();
        await BackAsync(broker);
        await client.SubscribeAsync(OwnTopic); // an answer in an outage is not remembered
    }

    [Fact]
    public async Task OthersAreServed_WhileTheServerIsFrozen()
    {
        await using var broker = await OpenAsync(("QueryTimeout", "00:00:01"), ("BreakTime", "00:00:00.5"));
        await using var subscriber = await LogInAsync(broker, "subscriber", "emqx", "public");
        await subscriber.SubscribeAsync(OwnTopic);
        await using var publisher = await LogInAsync(broker, "publisher", "emqx", "public");
        await publisher.PublishAsync(OwnTopic, "first");
        await subscriber.ExpectAsync(PacketType.Publish);
        Freeze();
        try
        {
            var clock = Stopwatch.StartNew();
            var hanging = Enumerable.Range(0, 200).Select(_ => ConnectAsync(broker, "emqx", "public")).ToArray();
            var slowest = TimeSpan.Zero;
            while (!Array.TrueForAll(hanging, one => one.IsCompleted))
            {
                var sent = clock.Elapsed;
                await publisher.PublishAsync(OwnTopic, "x");
                await subscriber.ExpectAsync(PacketType.Publish);
                slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, (clock.Elapsed - sent).Ticks));
            }

            Assert.All(await Task.WhenAll(hanging), code => Assert.Equal(ReasonCode.ServerUnavailable, code));
            Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(10));
            Assert.True(slowest < TimeSpan.FromSeconds(1), $"a message took {slowest} while the database was frozen");
            TestContext.Current.TestOutputHelper!.WriteLine($"slowest message {slowest}, all refused after {clock.Elapsed}");
            clock.Restart();
            Assert.Equal(ReasonCode.ServerUnavailable, await ConnectAsync(broker, "emqx", "public"));
        }
        finally
        {
            Thaw();
        }

        await BackAsync(broker);
    }

    [Fact]
    public async Task EverybodyGetsATurn_WhenManyConnectAtOnce()
    {
        await using var broker = await OpenAsync();
        var codes = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => ConnectAsync(broker, "emqx", i % 2 == 0 ? "public" : "wrong", $"c{i}")));
        Assert.Equal(250, codes.Count(code => code == ReasonCode.Success));
        Assert.Equal(250, codes.Count(code => code == ReasonCode.BadUserNameOrPassword));
    }

    [Theory]
    [InlineData("CaFile", "/nowhere/at/all", ":CaFile = /nowhere/at/all: there is no such file")]
    [InlineData("PoolSize", "0", "PoolSize")]
    [InlineData("WhenDown", "perhaps", "WhenDown")]
    [InlineData("QueryTimeout", "00:02:00", "QueryTimeout")]
    public async Task BadSettingsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    public async ValueTask InitializeAsync() => await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract Task CreateAsync();

    protected abstract Task KillAsync();

    protected abstract Task StartAsync();

    protected abstract void Freeze();

    protected abstract void Thaw();

    protected abstract ValueTask RemoveAsync();

    protected Task<BrokerHost> OpenAsync(params (string Key, string Value)[] settings) =>
        SourceBroker.OpenAsync(Section, [.. Connection.Select(one => (one.Key, one.Value!)), .. settings]);

    private static async Task BackAsync(BrokerHost broker)
    {
        for (var clock = Stopwatch.StartNew(); await ConnectAsync(broker, "emqx", "public") != ReasonCode.Success; await Task.Delay(50))
        {
            Assert.True(clock.Elapsed < Limit, "the database is not asked again");
        }
    }
}
