using Broker.Grains.Interfaces.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Configuration;

/// <summary>Options that may change while the broker runs. One instance is never changed: who keeps one lives by it.</summary>
/// <param name="start">What holds until there is something else.</param>
/// <param name="validators">Those of the options.</param>
internal sealed class LiveOptions<T>(SettingSection section, T start, IEnumerable<IValidateOptions<T>> validators) : IOptionsMonitor<T>, ISettingTarget
    where T : class, new()
{
    private readonly IValidateOptions<T>[] validators = [.. validators.Where(one => one is not MapOptionsValidator<T>)]; // that knows the file alone
    private volatile T current = start;

    private event Action<T, string?>? Changed;

    public T CurrentValue => current;

    public IReadOnlyList<SettingSection> Sections { get; } = [section];

    public T Get(string? name) => current;

    /// <summary>Tells of changes, after one another.</summary>
    public IDisposable? OnChange(Action<T, string?> listener)
    {
        Changed += listener;
        return new Unsubscription(this, listener);
    }

    public IEnumerable<string> Check(IConfiguration configuration) => TryBind(configuration.GetSection(section.Name), out var options) is { } fault ? [fault] : FaultsOf(configuration, options);

    public Task<string[]> ApplyAsync(IConfiguration configuration)
    {
        var faults = Check(configuration).ToArray();
        if (faults.Length > 0) return Task.FromResult(faults);
        _ = TryBind(configuration.GetSection(section.Name), out var options);
        if (Describe(options).SequenceEqual(Describe())) return Task.FromResult(faults);
        current = options;
        Changed?.Invoke(options, null);
        return Task.FromResult(faults);
    }

    public IEnumerable<KeyValuePair<string, string?>> Describe() => Describe(current);

    private IEnumerable<KeyValuePair<string, string?>> Describe(T options) => SettingKey.Flatten(section.Name, options, typeof(T));

    private IEnumerable<string> FaultsOf(IConfiguration configuration, T options) =>
        validators.Append(new MapOptionsValidator<T>(configuration.GetSection(section.Name))).SelectMany(one => one.Validate(null, options).Failures ?? []);

    /// <returns>Why it cannot be read; null if it can.</returns>
    private static string? TryBind(IConfigurationSection section, out T options)
    {
        options = new T();
        try
        {
            section.Bind(options);
            return null;
        }
        catch (InvalidOperationException fault) // the binder's word for a value of another kind
        {
            return fault.Message;
        }
    }

    private sealed class Unsubscription(LiveOptions<T> options, Action<T, string?> listener) : IDisposable
    {
        public void Dispose() => options.Changed -= listener;
    }
}
