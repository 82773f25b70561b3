using System.ComponentModel.DataAnnotations;
using Broker.Gateway.Mqtt.Limits;

namespace Broker.Gateway.Hosting;

/// <summary>A setting that <see cref="Rate"/> must be able to read.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class RateAttribute() : ValidationAttribute("{0} must be " + Rate.Notation)
{
    public override bool IsValid(object? value) => Rate.TryParse((string?)value, out _);
}
