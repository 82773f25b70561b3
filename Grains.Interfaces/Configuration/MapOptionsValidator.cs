using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Broker.Grains.Interfaces.Configuration;

/// <summary>Finds entries of maps, such as `Mqtt:QueuePriorities`, that could not be read: the binder leaves those out without a word.</summary>
/// <param name="section">The section the options were bound to.</param>
public sealed class MapOptionsValidator<T>(IConfigurationSection section) : IValidateOptions<T>
    where T : class
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, T options)
    {
        var faults = new List<string>();
        foreach (var property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetValue(options) is not IDictionary map) continue;
            foreach (var entry in section.GetSection(property.Name).GetChildren())
            {
                if (!map.Contains(entry.Key)) faults.Add($"{entry.Path} = '{entry.Value}' is not allowed: {Allowed(property.PropertyType.GetGenericArguments()[^1])}.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static string Allowed(Type type) => type.IsEnum ? $"it must be one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(byte) ? "it must be between 0 and 255"
        : $"it must be a {type.Name}";
}
