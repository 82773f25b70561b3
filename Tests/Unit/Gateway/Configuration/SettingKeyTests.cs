using System.Text.Json;
using Broker.Gateway.Configuration;
using Broker.Gateway.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Configuration;

public class SettingKeyTests
{
    private static readonly SettingSection Listeners = new("Listeners", typeof(ListenersOptions));
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

    [Theory]
    [InlineData("Security:MySql:Password", true)]
    [InlineData("Listeners:a:Tls:KeyPassword", true)]
    [InlineData("Security:Jwt:Secret", true)]
    [InlineData("Security:Http:Acl:Headers:X-Token", true)]
    [InlineData("security:http:acl:headers:x-token", true)]
    [InlineData("Security:Http:Acl:Url", false)]
    [InlineData("Security:MySql:PasswordHash", false)]
    public void SecretsAreForNobodysEyes(string key, bool isSecret)
    {
        Assert.Equal(isSecret ? SettingKey.Hidden : "x", SettingKey.Show(key, "x"));
        Assert.Equal("", SettingKey.Show(key, "")); // that there is none may be seen
        Assert.Null(SettingKey.Show(key, null));
    }

    [Fact]
    public void ObjectsStandForTheirMembers_WhenTheyAreSet()
    {
        using var json = JsonDocument.Parse("""{"kind":"tls","Tls":{"verify":"none","KeyPassword":null},"access":["allow all"]}""");
        var spread = SettingKey.Spread(Listeners, "Listeners:x", json.RootElement).Select(one => (one.Key, one.Value?.GetRawText()));
        Assert.Equal([("Listeners:x:Kind", "\"tls\""), ("Listeners:x:Tls:Verify", "\"none\""), ("Listeners:x:Tls:KeyPassword", null), ("Listeners:x:Access", "[\"allow all\"]")], spread);
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
