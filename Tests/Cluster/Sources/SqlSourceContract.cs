using System.Diagnostics;
using System.Globalization;
using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Unit;
using Microsoft.Extensions.Options;
using Xunit;
using WirePacket = Broker.Tests.Protocol.Harness.WirePacket;

namespace Broker.Tests.Cluster.Sources;

/// <summary>Users and access rules in a relational database, with its real server.</summary>
[Collection(BrokerProcessCollection.Name)]
public abstract class SqlSourceContract : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    protected abstract string Section { get; }

    protected abstract string SchemaFile { get; }

    protected abstract int Port { get; }

    protected abstract (string User, string Password, string Database) Login { get; }

    [Fact]
    public async Task UserIsKnownByItsPassword_WhateverItWritesInItsName()
    {
        await using var broker = await OpenAsync();
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "public"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", "Public"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", null));
        foreach (var name in new[] { "nobody", "", "' or '1'='1", "emqx' -- ", "emqx\\", "\"", "%u", "@p0", "é\u4e2d" })
        {
            Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, name, "public"));
        }

        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, null, "public"));
    }

    [Fact]
    public async Task SaltAndSuperuserAreRead()
    {
        await ExecuteAsync("insert into mqtt_user (username, password, salt, is_superuser) values ('root', 'efa1f375d76194fa51a3556a97e641e61685f914d446979da50a551a4333ffd7', 'pub', '1')");
        await using var broker = await OpenAsync(
            ("PasswordHash", "salt,sha256"), ("AuthQuery", "select salt, password from mqtt_user where username = '%u'"));
        await using var root = await LogInAsync(broker, "id", "root", "lic");
        await root.SubscribeAsync("$SYS/#");
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", "public")); // it has no salt
    }

    [Theory]
    [InlineData("first", "/smarthome/id/temperature", false)]
    [InlineData("last", "/smarthome/id/temperature", true)]
    [InlineData("last", "/smarthome/other/temperature", false)]
    [InlineData("first", "$SYS/x", false)]
    [InlineData("first", "elsewhere", true)]
    [InlineData("first", "own/id", false)]
    [InlineData("first", "exact/+", false)]
    [InlineData("first", "exact/x", true)]
    [InlineData("first", "net", false)]
    [InlineData("first", "othernet", true)]
    [InlineData("first", "nobody", true)]
    public async Task RowsAreRules(string order, string filter, bool mayBeSubscribed)
    {
        await ExecuteAsync("""
            insert into mqtt_acl (allow, ipaddr, username, clientid, access, topic) values
                (0, null, null, 'id', 3, 'own/%c'), (0, null, '$all', null, 1, 'eq exact/+'), (0, '127.0.0.1', 'emqx', null, 3, 'net'), (0, '10.0.0.1', 'emqx', null, 3, 'othernet'),
                (0, null, null, null, 3, 'nobody')
            """);
        await using var broker = await OpenAsync(("AclOrder", order));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        await client.SendAsync(WirePacket.Subscribe(1, filter));
        Assert.Equal(mayBeSubscribed, (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code != ReasonCode.NotAuthorized);
    }

    [Fact]
    public async Task RulesAreRememberedForAWhile()
    {
        await using var broker = await OpenAsync(("RuleCacheTime", "00:01:00"));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        await client.SubscribeAsync("a");
        await ExecuteAsync("insert into mqtt_acl (allow, username, access, topic) values (0, 'emqx', 3, '#')");
        await client.SubscribeAsync("b");
        broker.Advance(TimeSpan.FromSeconds(61));
        await client.SendAsync(WirePacket.Subscribe(1, "c"));
        Assert.Equal((1, ReasonCode.NotAuthorized), await client.ExpectAcknowledgementAsync(PacketType.Suback));
    }

    [Theory]
    [InlineData("deny", ReasonCode.ServerUnavailable)]
    [InlineData("ignore", ReasonCode.NotAuthorized)]
    public async Task ConfiguredAnswerIsGivenWhileTheServerIsGone_AndItIsAskedAgainWhenItIsBack(string whenDown, ReasonCode answer)
    {
        await KillAsync();
        await using var broker = await OpenAsync(("WhenDown", whenDown), ("BreakTime", "00:00:00.5"), ("BreakAfter", "2"));
        for (var i = 0; i < 6; i++) Assert.Equal(answer, await ConnectAsync(broker, "emqx", "public"));
        await StartAsync();
        await BackAsync(broker);
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        await KillAsync();
        Assert.Equal(answer, await ConnectAsync(broker, "emqx", "public"));
        await client.SendAsync(WirePacket.Subscribe(1, "a"));
        Assert.Equal(whenDown == "deny" ? ReasonCode.NotAuthorized : ReasonCode.Success, (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code);
        await StartAsync();
        await BackAsync(broker);
        await client.SubscribeAsync("a"); // an answer in an outage is not remembered
    }

    [Fact]
    public async Task OthersAreServed_WhileTheServerIsFrozen()
    {
        await using var broker = await OpenAsync(("QueryTimeout", "00:00:01"), ("BreakTime", "00:00:00.5"));
        await using var subscriber = await LogInAsync(broker, "subscriber", "emqx", "public");
        await subscriber.SubscribeAsync("t");
        await using var publisher = await LogInAsync(broker, "publisher", "emqx", "public");
        await publisher.PublishAsync("t", "first");
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
                await publisher.PublishAsync("t", "x");
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
    [InlineData("AuthQuery", "select password from u where n = '%z'", ":AuthQuery: '%z' is no placeholder")]
    [InlineData("PasswordHash", "rot13", ":PasswordHash = 'rot13'")]
    [InlineData("PasswordFile", "/nowhere/at/all", ":PasswordFile = /nowhere/at/all: there is no such file")]
    [InlineData("PoolSize", "0", "PoolSize")]
    [InlineData("WhenDown", "perhaps", "WhenDown")]
    public async Task BadSettingsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    public async ValueTask InitializeAsync()
    {
        await CreateAsync();
        await ExecuteAsync(await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "deploy", "access", SchemaFile)));
    }

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract Task CreateAsync();

    protected abstract Task ExecuteAsync(string sql);

    protected abstract Task KillAsync();

    protected abstract Task StartAsync();

    protected abstract void Freeze();

    protected abstract void Thaw();

    protected abstract ValueTask RemoveAsync();

    private Task<BrokerHost> OpenAsync(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["Security:AllowAnonymous"] = "false",
            ["Security:BruteForce:Failures"] = "0",
            [Section + ":Server"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"),
            [Section + ":UserName"] = Login.User,
            [Section + ":Password"] = Login.Password,
            [Section + ":Database"] = Login.Database,
        };
        foreach (var (key, value) in settings) all[$"{Section}:{key}"] = value;
        return BrokerHost.StartAsync(all);
    }

    private static async Task BackAsync(BrokerHost broker)
    {
        for (var clock = Stopwatch.StartNew(); await ConnectAsync(broker, "emqx", "public") != ReasonCode.Success; await Task.Delay(50))
        {
            Assert.True(clock.Elapsed < Limit, "the database is not asked again");
        }
    }

    private static async Task<ReasonCode> ConnectAsync(BrokerHost broker, string? user, string? password, string clientId = "")
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: user, password: password is null ? null : Encoding.UTF8.GetBytes(password)));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    private static async Task<RawClient> LogInAsync(BrokerHost broker, string clientId, string user, string password)
    {
        var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: user, password: Encoding.UTF8.GetBytes(password)));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        return client;
    }
}
