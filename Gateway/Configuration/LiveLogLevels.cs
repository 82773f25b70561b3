using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Broker.Gateway.Configuration;

/// <summary>Makes the loggers follow <see cref="LogOptions"/> while the broker runs.</summary>
internal sealed class LiveLogLevels : IPostConfigureOptions<LoggerFilterOptions>, IOptionsChangeTokenSource<LoggerFilterOptions>
{
    private readonly IOptionsMonitor<LogOptions> levels;
    private ConfigurationReloadToken changed = new();

    public LiveLogLevels(IOptionsMonitor<LogOptions> levels)
    {
        this.levels = levels;
        levels.OnChange(_ => Interlocked.Exchange(ref changed, new ConfigurationReloadToken()).OnReload());
    }

    public string Name => Options.DefaultName;

    public IChangeToken GetChangeToken() => Volatile.Read(ref changed);

    /// <inheritdoc/>
    /// <remarks>Behind the rules of the start: of two for the same category the last holds.</remarks>
    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        foreach (var (category, level) in levels.CurrentValue.LogLevel)
        {
            options.Rules.Add(new LoggerFilterRule(null, category.Equals("Default", StringComparison.OrdinalIgnoreCase) ? null : category, level, null));
        }
    }
}
