using System.Globalization;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit;
using Microsoft.Extensions.Options;
using Xunit;
using static Broker.Tests.Cluster.Sources.SourceBroker;
using WirePacket = Broker.Tests.Protocol.Harness.WirePacket;

namespace Broker.Tests.Cluster.Sources;

/// <summary>Users and access rules in a relational database, with its real server.</summary>
public abstract class SqlSourceContract : SourceContract
{
    protected abstract string SchemaFile { get; }

    protected abstract int Port { get; }

    protected sealed override Dictionary<string, string?> Connection => new()
    {
        ["Server"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"), ["UserName"] = Login.User, ["Password"] = Login.Password, ["Database"] = Login.Database,
    };

    protected abstract (string User, string Password, string Database) Login { get; }

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
    [InlineData("AuthQuery", "select password from u where n = '%z'", ":AuthQuery: '%z' is no placeholder")]
    [InlineData("PasswordHash", "rot13", ":PasswordHash = 'rot13'")]
    [InlineData("PasswordFile", "/nowhere/at/all", ":PasswordFile = /nowhere/at/all: there is no such file")]
    public async Task BadQueriesStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    protected sealed override async Task CreateAsync()
    {
        await CreateServerAsync();
        await ExecuteAsync(await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "deploy", "access", SchemaFile)));
    }

    protected abstract Task CreateServerAsync();

    protected abstract Task ExecuteAsync(string sql);
}
