using System.Text.Json;
using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;
using Broker.Gateway.Modules;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Configuration;

public class SettingKeyTests
{
    private static readonly SettingSection Listeners = new("Listeners", typeof(ListenersOptions));
    private static readonly SettingSection AutoSubscribe = new("AutoSubscribe", typeof(AutoSubscribeOptions));
    private static readonly SettingSection Mqtt = new("Mqtt", typeof(MqttOptions), nameof(MqttOptions.SysInterval));

    [Theory]
    [InlineData("mqtt:maxqos", "Mqtt:MaxQos")]
    [InlineData("Mqtt:QueuePriorities:a/b", "Mqtt:QueuePriorities:a/b")]
    [InlineData("Mqtt", "Mqtt")]
    [InlineData("Mqtt:MaxQos:More", null)]
    [InlineData("Mqtt:SysInterval", null)]
    [InlineData("Mqtt:HighestQos", null)] // made from another
    [InlineData("Mqtt:QueuePriorities:a:b", null)]
    public void KeyIsWrittenAsTheOptionsWriteIt_OrIsNone(string key, string? written)
    {
        var type = SettingKey.Find(Mqtt, key, out var found);
        Assert.Equal(written, type is null ? null : found);
    }

    [Fact]
    public void ObjectsStandForTheirMembers_WhenTheyAreSet()
    {
        using var json = JsonDocument.Parse("""{"kind":"tls","Tls":{"verify":"none","KeyPassword":null},"access":["allow all"]}""");
        var spread = SettingKey.Spread(Listeners, "Listeners:x", json.RootElement).Select(one => (one.Key, one.Value?.GetRawText()));
        Assert.Equal([("Listeners:x:Kind", "\"tls\""), ("Listeners:x:Tls:Verify", "\"none\""), ("Listeners:x:Tls:KeyPassword", null), ("Listeners:x:Access", "[\"allow all\"]")], spread);
    }

    [Theory]
    [InlineData("Security:MySql:Password", true)]
    [InlineData("security:redis:PASSWORD", true)]
    [InlineData("Listeners:tls:Tls:KeyPassword", true)]
    [InlineData("Security:Jwt:Secret", true)]
    [InlineData("Security:Http:Auth:Headers:Authorization", true)]
    [InlineData("Security:Http:Acl:Headers", true)]
    [InlineData("Security:MySql:PasswordFile", false)]
    [InlineData("Security:MySql:PasswordHash", false)]
    [InlineData("Security:Jwt:SecretFile", false)]
    [InlineData("Mqtt:MaxQos", false)]
    public void SecretsAreNotShown(string key, bool secret)
    {
        Assert.Equal(secret, SettingKey.IsSecret(key));
        Assert.Equal(secret ? "***" : "word", SettingKey.Show(key, "word"));
        Assert.Equal(("", null), (SettingKey.Show(key, ""), SettingKey.Show(key, null))); // that there is none is no secret
    }

    [Theory]
    [InlineData("""{"Tls":{"KeyPassword":"***"}}""", "Listeners:x:Tls:KeyPassword = *** is what is shown of a secret.")]
    [InlineData("""{"Tls":{"KeyPassword":["word"]}}""", "Listeners:x:Tls:KeyPassword = *** is not allowed: it must be one value.")]
    [InlineData("""{"Access":[null]}""", "Listeners:x:Access:0 = null is not allowed: it must be one value.")]
    [InlineData("""{"Access":["allow all",["deny all"]]}""", "Listeners:x:Access:1 = [\"deny all\"] is not allowed: it must be one value.")]
    [InlineData("""{"Access":[{"a":"deny all"}]}""", "Listeners:x:Access:0 = {\"a\":\"deny all\"} is not allowed: it must be one value.")]
    [InlineData("""{"Access":"allow all"}""", "Listeners:x:Access = \"allow all\" is not allowed: it must be an array.")]
    public void NothingIsPassedOver_WhenAnObjectIsSet(string value, string fault)
    {
        using var json = JsonDocument.Parse(value);
        Assert.Equal(fault, Assert.Throws<FormatException>(() => SettingKey.Spread(Listeners, "Listeners:x", json.RootElement).ToArray()).Message);
    }

    [Theory]
    [InlineData("60", false)]
    [InlineData("\"60\"", false)]
    [InlineData("1.5", false)]
    [InlineData("0", true)]
    [InlineData("\"00:01\"", true)]
    [InlineData("\"1.00:00:00\"", true)]
    public void TimeIsNoBareNumber_AsThatWouldBeDays(string value, bool isTime)
    {
        using var json = JsonDocument.Parse(value);
        if (isTime) Assert.Equal(["Mqtt:RetryInterval"], Spread());
        else Assert.Equal($"Mqtt:RetryInterval = {value} is not allowed: it must be a time such as 00:01:30, as a number alone would be days.", Assert.Throws<FormatException>(Spread).Message);

        string[] Spread() => [.. SettingKey.Spread(Mqtt, "Mqtt:RetryInterval", json.RootElement).Select(one => one.Key)];
    }

    [Theory]
    [InlineData("""[{}]""", "AutoSubscribe:Topics:0 = {} is not allowed: it must be an object.")]
    [InlineData("""["a/#"]""", "AutoSubscribe:Topics:0 = \"a/#\" is not allowed: it must be an object.")]
    [InlineData("""[{"Topic":"a"},{"topic":null}]""", "AutoSubscribe:Topics:1:Topic = null is not allowed: it must be one value.")]
    [InlineData("""[{"Topic":"a","Quality":1}]""", "AutoSubscribe:Topics:0:Quality cannot be set: there is no such key.")]
    public void NothingIsPassedOver_WhenAListOfObjectsIsSet(string value, string fault)
    {
        using var json = JsonDocument.Parse(value);
        Assert.Equal(fault, Assert.Throws<FormatException>(() => SettingKey.Spread(AutoSubscribe, "AutoSubscribe:Topics", json.RootElement).ToArray()).Message);
    }

    [Fact]
    public void ListOfObjectsIsNoDrift_WhereItIsFollowed()
    {
        using var json = JsonDocument.Parse("""[{"topic":"a","Qos":1},{"Topic":"b","NoLocal":true}]""");
        var wanted = SettingDrift.Wanted(SettingDocument.Empty.With([new("AutoSubscribe:Topics", json.RootElement)]));
        var options = new AutoSubscribeOptions { Topics = [new AutoSubscription { Topic = "a", Qos = 1 }, new AutoSubscription { Topic = "b", NoLocal = true }] };
        Assert.Empty(SettingDrift.Of(Describe(options), wanted));
        options.Topics[1].NoLocal = false;
        Assert.Equal([("AutoSubscribe:Topics:1:NoLocal", "false", "true")], SettingDrift.Of(Describe(options), wanted));

        static Dictionary<string, string?> Describe(AutoSubscribeOptions options) =>
            SettingKey.Flatten("AutoSubscribe", options, typeof(AutoSubscribeOptions)).ToDictionary(StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public void NodesDisagree_ButNotAboutTheirNames()
    {
        var one = new Dictionary<string, string?> { ["Gateway:NodeName"] = "a@127.0.0.1", ["Mqtt:MaxQos"] = "1", ["Mqtt:MaxInflight"] = "32" };
        var other = new Dictionary<string, string?> { ["Gateway:NodeName"] = "b@127.0.0.1", ["Mqtt:MaxQos"] = "2", ["Mqtt:MaxInflight"] = "32" };
        var (key, values) = Assert.Single(SettingDrift.Disagreements([("a", one), ("b", other)]));
        Assert.Equal("Mqtt:MaxQos", key);
        Assert.Equal([("a", "1"), ("b", "2")], values);
    }

    [Fact]
    public void EverythingThatIsDescribedCanBeSet_ExceptWhatIsFixed()
    {
        foreach (var (key, _) in SettingKey.Flatten("Mqtt", new MqttOptions(), typeof(MqttOptions)))
        {
            Assert.Equal(key != "Mqtt:SysInterval", SettingKey.Find(Mqtt, key, out var written) is not null);
            if (key != "Mqtt:SysInterval") Assert.Equal(key, written);
        }
    }

    [Fact]
    public void OptionsAreTheSame_WhenTheyAreReadBackFromTheirDescription()
    {
        var options = new MqttOptions { MaxQos = 1, ServerKeepAlive = 7, IdleTimeout = TimeSpan.FromMilliseconds(1500), KeepAliveBackoff = 0.75, QueuePriorities = { ["a"] = 3 } };
        var written = SettingKey.Flatten("Mqtt", options, typeof(MqttOptions)).ToArray();
        var read = new ConfigurationBuilder().AddInMemoryCollection(written.Where(one => one.Value is not null)).Build().GetSection("Mqtt").Get<MqttOptions>();
        Assert.Equal(written, SettingKey.Flatten("Mqtt", read, typeof(MqttOptions)));
    }

    [Fact]
    public void DocumentHidesTheWholeListOfAFile_WhenItHasItsOwn()
    {
        var start = new ConfigurationBuilder().AddInMemoryCollection(
            [new("Listeners:a:Access:0", "allow all"), new("Listeners:a:Access:1", "deny all"), new("Mqtt:MaxQos", "1"), new("Mqtt:MaxInflight", "3")]).Build();
        using var json = JsonDocument.Parse("""{"list":["deny all"],"number":2}""");
        var document = SettingDocument.Empty.With(
            [new("Listeners:a:Access", json.RootElement.GetProperty("list")), new("Mqtt:MaxQos", json.RootElement.GetProperty("number")), new("Mqtt:MaxInflight", null)]);
        var merged = new LiveConfiguration(start).With(document);
        Assert.Equal(["deny all"], merged.GetSection("Listeners").Get<ListenersOptions>()!["a"].Access);
        Assert.Equal(("2", "3"), (merged["Mqtt:MaxQos"], merged["Mqtt:MaxInflight"]));
        Assert.Empty(document.With([new("Listeners", null), new("Mqtt", null)]).Settings);
    }

    [Fact]
    public void UsualListenerStays_WhenOthersAreSet()
    {
        var merged = new LiveConfiguration(new ConfigurationBuilder().AddInMemoryCollection([new("Gateway:Port", "1234")]).Build()).With(SettingDocument.Empty);
        var (name, options) = Assert.Single(merged.GetSection("Listeners").Get<ListenersOptions>()!);
        Assert.Equal(("default", "*", 1234), (name, options.Address, options.Port));
    }
}
