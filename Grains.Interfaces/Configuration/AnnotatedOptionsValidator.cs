using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace Broker.Grains.Interfaces.Configuration;

/// <summary>Checks options by their annotations, in words an operator can act on: key, value, what is allowed.</summary>
/// <param name="section">The configuration section, such as `Mqtt`.</param>
public sealed class AnnotatedOptionsValidator<T>(string section) : IValidateOptions<T>
    where T : class
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, T options)
    {
        var faults = new List<string>();
        foreach (var property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = property.GetValue(options);
            if (property.CanWrite && value is Enum member && !Enum.IsDefined(member.GetType(), member)) faults.Add($"{section}:{property.Name} = '{value}' is not allowed: it must be one of {string.Join(", ", Enum.GetNames(member.GetType()))}.");
            foreach (var rule in property.GetCustomAttributes<ValidationAttribute>())
            {
                if (rule.IsValid(value)) continue;
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{section}:{property.Name} = '{value}' is not allowed: {Allowed(rule)}."));
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static string Allowed(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => string.Create(CultureInfo.InvariantCulture, $"it must be between {range.Minimum} and {range.Maximum}"),
        RegularExpressionAttribute pattern => $"it must match {pattern.Pattern}",
        AllowedValuesAttribute values => $"it must be {string.Join('|', values.Values)}",
        RequiredAttribute => "it must be set",
        _ => rule.FormatErrorMessage("it"),
    };
}
