using System.Globalization;
using Broker.Gateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace Broker.Gateway.Configuration;

/// <summary>The configuration with the cluster's document laid over what this process was started with.</summary>
/// <remarks>Whoever starts a process cannot know what was decided since: so the document wins.</remarks>
internal sealed class LiveConfiguration(IConfiguration start)
{
    /// <summary>The configuration by a document.</summary>
    public IConfigurationRoot With(SettingDocument document)
    {
        var merged = Read();
        foreach (var (key, value) in document.Settings)
        {
            foreach (var hidden in merged.Keys.Where(known => SettingKey.IsWithin(known, key)).ToArray()) merged.Remove(hidden);
            foreach (var (written, text) in SettingKey.Write(key, value)) merged[written] = text;
        }

        return new ConfigurationBuilder().AddInMemoryCollection(merged).Build();
    }

    /// <summary>Whether a key, or one below it, was set at the start.</summary>
    public bool IsSetAtStart(string key) => start.GetSection(key) is var section && (section.Value is not null || section.GetChildren().Any());

    private Dictionary<string, string?> Read()
    {
        var read = start.AsEnumerable().Where(one => one.Value is not null).ToDictionary(one => one.Key, one => one.Value, StringComparer.OrdinalIgnoreCase);
        if (start.GetSection(ListenersOptions.Section).GetChildren().Any()) return read;
        // The listener that there is without section Listeners stays when others are added.
        var gateway = start.GetSection(GatewayOptions.Section).Get<GatewayOptions>() ?? new GatewayOptions();
        read[$"{ListenersOptions.Section}:{ListenersOptions.Default}:{nameof(ListenerOptions.Address)}"] = gateway.Address;
        read[$"{ListenersOptions.Section}:{ListenersOptions.Default}:{nameof(ListenerOptions.Port)}"] = gateway.Port.ToString(CultureInfo.InvariantCulture);
        return read;
    }
}
