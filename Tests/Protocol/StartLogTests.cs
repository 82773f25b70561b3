using System.Collections.Concurrent;
using System.Globalization;
using Broker.Gateway.Hosting;
using Broker.Gateway.Transport;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What the operator is told at the start.</summary>
public sealed class StartLogTests
{
    [Theory]
    [InlineData("10000000", LogLevel.Warning)]
    [InlineData("1024000", LogLevel.Information)] // the default: nobody asked for as many
    [InlineData("100", null)]
    public async Task TellsOnce_WhenDescriptorsAreForFewerConnectionsThanConfigured(string configured, LogLevel? level)
    {
        using var log = new StartLog();
        await using var broker = await BrokerHost.StartAsync(
            new() { ["Gateway:MaxConnections"] = configured }, services => services.AddSingleton<ILoggerProvider>(log));
        var told = log.Lines.Where(line => line.Text.Contains("Gateway:MaxConnections", StringComparison.Ordinal)).ToArray();
        if (level is null)
        {
            Assert.Empty(told);
            return;
        }

        var (given, text) = Assert.Single(told);
        Assert.Equal(level, given);
        Assert.Contains(configured, text, StringComparison.Ordinal);
        Assert.Contains(DescriptorLimit.MostConnections().ToString(CultureInfo.InvariantCulture), text, StringComparison.Ordinal);
        Assert.Contains("LimitNOFILE", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, true, "default")]
    [InlineData(false, true, null)]
    [InlineData(false, false, "open")]
    public async Task OpenListenersAreNamed_WhenAnybodyMayUseThem(bool allowAnonymous, bool authenticates, string? named)
    {
        using var log = new StartLog();
        var settings = new Dictionary<string, string?> { ["Security:AllowAnonymous"] = allowAnonymous ? "true" : "false" };
        if (!authenticates) (settings["Listeners:open:Kind"], settings["Listeners:open:Port"], settings["Listeners:open:Authentication"]) = ("tcp", "0", "false");
        await using var broker = await BrokerHost.StartAsync(settings, services => services.AddSingleton<ILoggerProvider>(log));
        var told = log.Lines.Where(line => line.Text.StartsWith("Anybody", StringComparison.Ordinal)).ToArray();
        var message = StartMessage.Describe(broker.Services);
        if (named is null)
        {
            Assert.Empty(told);
            Assert.Contains("clients prove who they are", message, StringComparison.Ordinal);
            return;
        }

        var (level, text) = Assert.Single(told);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains($": {named}.", text, StringComparison.Ordinal);
        Assert.Contains("anybody who reaches it may use it", message, StringComparison.Ordinal);
    }

    /// <summary>Remembers what is logged from Information on.</summary>
    private sealed class StartLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue((logLevel, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
