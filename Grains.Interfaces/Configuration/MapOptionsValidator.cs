using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Broker.Grains.Interfaces.Configuration;

/// <summary>Finds entries of maps and lists, such as `Mqtt:QueuePriorities` or the listeners, that could not be read: the binder leaves those out without a word.</summary>
/// <param name="section">The section the options were bound to.</param>
public sealed class MapOptionsValidator<T>(IConfigurationSection section) : IValidateOptions<T>
    where T : class
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, T options)
    {
        var faults = new List<string>();
        if (HeldBy(typeof(T)) is { } own) Check(section, own, faults);
        else
        {
            foreach (var property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (HeldBy(property.PropertyType) is { } held) Check(section.GetSection(property.Name), held, faults);
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void Check(IConfigurationSection entries, Type held, List<string> faults)
    {
        foreach (var entry in entries.GetChildren())
        {
            try
            {
                if (entry.Get(held) is not { } value || (held.IsEnum && !Enum.IsDefined(held, value))) faults.Add(Unfit(entry, held));
            }
            catch (InvalidOperationException fault) // the binder's word for a value of another kind
            {
                faults.Add(entry.Value is null ? fault.Message : Unfit(entry, held));
            }
        }
    }

    private static string Unfit(IConfigurationSection entry, Type held) => $"{entry.Path} = '{entry.Value}' is not allowed: {Allowed(held)}.";

    /// <summary>What a map or a list holds; null if it is none, or one of texts, which can all be read.</summary>
    private static Type? HeldBy(Type type)
    {
        var held = type.IsArray ? type.GetElementType() : Generic(type)?.GetGenericArguments()[^1];
        return held == typeof(string) ? null : held;

        static Type? Generic(Type? type) => type is null || (type.IsGenericType && (typeof(IDictionary).IsAssignableFrom(type) || typeof(IList).IsAssignableFrom(type))) ? type : Generic(type.BaseType);
    }

    private static string Allowed(Type type) => type.IsEnum ? $"it must be one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(byte) ? "it must be between 0 and 255"
        : type.IsPrimitive ? $"it must be a {type.Name}"
        : "it must have keys of its own";
}
