using System.Text.Json;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>What is no trace, or one too many.</summary>
public sealed class TraceRefusalTests(BrokerHost broker) : IClassFixture<BrokerHost>, IAsyncLifetime
{
    private readonly ApiClient api = new(broker);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await api.SucceedAsync("DELETE", "/trace");
        api.Dispose();
    }

    [Theory]
    [InlineData("""{"type":"clientid","clientid":"x"}""")]
    [InlineData("""{"name":"","type":"clientid","clientid":"x"}""")]
    [InlineData("""{"name":"../up","type":"clientid","clientid":"x"}""")]
    [InlineData("""{"name":"_x","type":"clientid","clientid":"x"}""")]
    [InlineData("""{"name":"x\n","type":"clientid","clientid":"x"}""")]
    [InlineData("""{"name":"x"}""")]
    [InlineData("""{"name":"x","type":"user","user":"x"}""")]
    [InlineData("""{"name":"x","type":"clientid"}""")]
    [InlineData("""{"name":"x","type":"clientid","clientid":""}""")]
    [InlineData("""{"name":"x","type":"topic","topic":"a/#/b"}""")]
    [InlineData("""{"name":"x","type":"topic","topic":"$share/g/a"}""")]
    [InlineData("""{"name":"x","type":"ip_address","ip_address":"1.2.3.4.5"}""")]
    [InlineData("""{"name":"x","type":"clientid","clientid":"x","start_at":"tomorrow"}""")]
    [InlineData("""{"name":"x","type":"clientid","clientid":"x","end_at":"99999999999999999999"}""")]
    [InlineData("""{"name":"x","type":"clientid","clientid":"x","end_at":"2020-01-01T00:00:00Z"}""")]
    [InlineData("""{"name":"x","type":"clientid","clientid":"x","start_at":4102444800,"end_at":4102444800}""")]
    public async Task TraceIsRefused_WhenItIsNone(string body)
    {
        Assert.Equal("INCORRECT_PARAMS", Text(await api.CallAsync("POST", "/trace", body), "code"));
        Assert.Equal(0, (await api.SucceedAsync("GET", "/trace")).GetArrayLength());
    }

    [Fact]
    public async Task TraceIsRefused_WhenItIsThereAlready_OrTooMany()
    {
        await BeginAsync("twin", "clientid", "twin");
        await ExpectAsync("ALREADY_EXISTED", """{"name":"twin","type":"topic","topic":"x"}""");
        await ExpectAsync("DUPLICATE_CONDITION", """{"name":"other","type":"clientid","clientid":"twin"}""");
        await api.SucceedAsync("PUT", "/trace/twin/stop");
        await BeginAsync(new string('n', 256), "clientid", "twin"); // the other one has ended
        for (var number = 2; number < 30; number++) await BeginAsync($"t{number}", "topic", $"t/{number}");
        await ExpectAsync("INCORRECT_PARAMS", """{"name":"t30","type":"topic","topic":"t/30"}""");
        Assert.Equal(30, (await api.SucceedAsync("GET", "/trace")).GetArrayLength());
        await api.SucceedAsync("DELETE", "/trace/t2");
        await BeginAsync("t30", "topic", "t/30");
        foreach (var (method, path) in new[] { ("DELETE", "/trace/t2"), ("PUT", "/trace/t2/stop"), ("GET", "/trace/t2/log"), ("GET", "/trace/t2/download") }) Assert.Equal("NOT_FOUND", Text(await api.CallAsync(method, path), "code"));

        async Task ExpectAsync(string code, string body) => Assert.Equal(code, Text(await api.CallAsync("POST", "/trace", body), "code"));
    }

    private async Task BeginAsync(string name, string type, string value) => await api.SucceedAsync("POST", "/trace", $$"""{"name":"{{name}}","type":"{{type}}","{{type}}":"{{value}}"}""");

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;
}
