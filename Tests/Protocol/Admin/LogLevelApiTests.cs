using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>A broker that was started with log levels of its own.</summary>
public sealed class LoggingBroker() : BrokerHost(new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Warning", ["Logging:LogLevel:Broker.Test.Quiet"] = "Error" });

/// <summary>How much is logged changes while the broker runs.</summary>
public sealed class LogLevelApiTests(LoggingBroker broker) : IClassFixture<LoggingBroker>, IDisposable
{
    private readonly ApiClient api = new(broker);

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task LoggersFollow_WhenALevelIsSetAndTakenBack()
    {
        var loggers = broker.Services.GetRequiredService<ILoggerFactory>();
        var (any, quiet) = (loggers.CreateLogger("Broker.Test.Any"), loggers.CreateLogger("Broker.Test.Quiet.Part"));
        Assert.Equal((false, true, false), (any.IsEnabled(LogLevel.Information), any.IsEnabled(LogLevel.Warning), quiet.IsEnabled(LogLevel.Warning)));

        await SetAsync("""{"Logging:LogLevel":{"Default":"critical","Broker.Test.Quiet":"Warning"}}""");
        Assert.Equal((false, true), (any.IsEnabled(LogLevel.Error), quiet.IsEnabled(LogLevel.Warning)));
        Assert.Equal(("Critical", "cluster"), await ReadAsync("Logging:LogLevel:Default"));

        await SetAsync("""{"Logging:LogLevel:Default":null,"Logging:LogLevel:Broker.Test.Quiet":null}""");
        Assert.Equal((false, true, false), (any.IsEnabled(LogLevel.Information), any.IsEnabled(LogLevel.Warning), quiet.IsEnabled(LogLevel.Warning)));
        Assert.Equal(("Warning", "start"), await ReadAsync("Logging:LogLevel:Default"));
    }

    [Theory]
    [InlineData("""{"Logging:LogLevel:Default":"loud"}""")]
    [InlineData("""{"Logging:LogLevel:Default":{"a":1}}""")]
    [InlineData("""{"Logging:Console":{"FormatterName":"json"}}""")]
    public async Task NothingChanges_WhenThereIsNoSuchLevel(string body)
    {
        Assert.Equal(108, (await api.CallAsync("PUT", "/v5/configuration", body)).GetProperty("code").GetInt32());
        Assert.Equal(("Warning", "start"), await ReadAsync("Logging:LogLevel:Default"));
    }

    private async Task SetAsync(string body) => Assert.Equal(0, (await api.CallAsync("PUT", "/v5/configuration", body)).GetProperty("code").GetInt32());

    private async Task<(string?, string?)> ReadAsync(string key)
    {
        var settings = (await api.CallAsync("GET", "/v5/configuration?section=Logging")).GetProperty("data").GetProperty("settings");
        var one = settings.EnumerateArray().Single(setting => setting.GetProperty("key").ValueEquals(key));
        return (one.GetProperty("value").GetString(), one.GetProperty("source").GetString());
    }
}
