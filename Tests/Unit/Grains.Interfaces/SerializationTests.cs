using System.Net;
using System.Reflection;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces;

/// <summary>Every serializable type of the contracts goes through Orleans' serializer and comes back the same, member by member.</summary>
public class SerializationTests
{
    private static readonly ServiceProvider Services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private const FieldAttributes NotSerialized = (FieldAttributes)0x80; // FieldAttributes.NotSerialized, whose name is obsolete
    private static readonly Assembly Contracts = typeof(ApplicationMessage).Assembly;

    public static TheoryData<string> Types =>
        [.. Contracts.GetTypes().Where(type => type.IsDefined(typeof(GenerateSerializerAttribute))).Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Types))]
    public void ComesBackTheSame_WhenSerialized(string name)
    {
        var type = Contracts.GetType(name)!;
        var serializer = Services.GetRequiredService<Serializer>();
        for (var seed = 1; seed <= 3; seed++)
        {
            var value = new Maker(seed).Make(type);
            var back = serializer.Deserialize<object>(serializer.SerializeToArray<object>(value));
            Assert.IsType(type, back);
            AssertSame(value, back, name);
        }
    }

    [Fact]
    public void ComesBackTheSame_WhenOptionalPartsAreMissing()
    {
        var serializer = Services.GetRequiredService<Serializer>();
        object[] values =
        [
            new ApplicationMessage { Topic = TopicName.Parse("a"), Payload = [] },
            new MessageProperties(),
            default(TopicFilter),
            default(SubscriptionIdentifiers),
            new SubscriptionIdentifiers(5),
            new Delivery(TestMessage.On("a"), Qos.AtMostOnce, false),
            new PipeItem(1, PipeItemKind.Publish),
            new SessionCommand("c", 1, SessionCommandKind.Attach),
        ];
        foreach (var value in values) AssertSame(value, serializer.Deserialize<object>(serializer.SerializeToArray(value)), value.GetType().Name);
    }

    [Fact]
    public void TopicNameIsSharedOnceInABatch_WhenMessagesShareIt()
    {
        var serializer = Services.GetRequiredService<Serializer>();
        var topic = TopicName.Parse(new string('t', 1_000));
        var messages = Enumerable.Range(0, 10).Select(_ => new ApplicationMessage { Topic = topic, Payload = [1] }).ToArray();
        var bytes = serializer.SerializeToArray(messages);
        Assert.True(bytes.Length < 2_000, $"{bytes.Length} bytes");
        var back = serializer.Deserialize<ApplicationMessage[]>(bytes)!;
        Assert.All(back, message => Assert.Same(back[0].Topic, message.Topic));
    }

    private static void AssertSame(object? expected, object? actual, string path)
    {
        if (expected is null or string or SiloAddress or Guid or Enum || actual is null || expected.GetType().IsPrimitive)
        {
            Assert.True(Equals(expected, actual), $"{path}: {expected} came back as {actual}.");
            return;
        }

        Assert.Equal(expected.GetType(), actual.GetType());
        if (expected is System.Collections.IEnumerable items)
        {
            var (left, right) = (items.Cast<object>().ToArray(), ((System.Collections.IEnumerable)actual).Cast<object>().ToArray());
            Assert.True(left.Length == right.Length, $"{path}: {left.Length} elements came back as {right.Length}.");
            for (var i = 0; i < left.Length; i++) AssertSame(left[i], right[i], $"{path}[{i}]");
            return;
        }

        // All state but what is not serialized on purpose: the caches.
        foreach (var field in expected.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (!field.Attributes.HasFlag(NotSerialized)) AssertSame(field.GetValue(expected), field.GetValue(actual), $"{path}.{field.Name}");
        }
    }

    /// <summary>Makes values of any type of the contracts with nothing left at its default.</summary>
    private sealed class Maker(int seed)
    {
        private int count = seed * 100;

        public object Make(Type type)
        {
            type = Nullable.GetUnderlyingType(type) ?? type;
            count++;
            if (type == typeof(string)) return $"text {count}";
            if (type == typeof(bool)) return true;
            if (type == typeof(Guid)) return new Guid(count, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
            if (type == typeof(SiloAddress)) return SiloAddress.New(IPAddress.Loopback, 1_000 + count % 60_000, count);
            if (type == typeof(TopicName)) return TopicName.Parse($"a/{count}/é");
            if (type == typeof(TopicFilter)) return TopicFilter.Parse(seed % 2 == 0 ? $"$share/g{count}/a/+/#" : $"a/{count}/#");
            if (type == typeof(SubscriptionIdentifiers)) return new SubscriptionIdentifiers(count).With(count + 1);
            // A gateway or a session, never both.
            if (type == typeof(RouteDestination) && seed % 2 == 0) return RouteDestination.OfSession($"client {count}");
            if (type == typeof(RouteDestination)) return RouteDestination.OfGateway((SiloAddress)Make(typeof(SiloAddress)));
            if (type.IsEnum) return Enum.GetValues(type).GetValue(count % Enum.GetValues(type).Length)!;
            if (type.IsPrimitive) return Convert.ChangeType(count % 200 + 1, type, null);
            if (type.IsArray) return MakeArray(type.GetElementType()!);
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>)) return MakeDictionary(type);
            return MakeByConstructor(type);
        }

        private Array MakeArray(Type element)
        {
            var array = Array.CreateInstance(element, 3);
            for (var i = 0; i < array.Length; i++) array.SetValue(Make(element), i);
            return array;
        }

        private System.Collections.IDictionary MakeDictionary(Type type)
        {
            var dictionary = (System.Collections.IDictionary)Activator.CreateInstance(type)!;
            var arguments = type.GetGenericArguments();
            for (var i = 0; i < 3; i++) dictionary.Add(Make(arguments[0]), Make(arguments[1]));
            return dictionary;
        }

        private object MakeByConstructor(Type type)
        {
            var constructor = type.GetConstructors().MaxBy(one => one.GetParameters().Length)
                ?? throw new NotSupportedException($"Say here how to make {type}: it has no public constructor.");
            var value = constructor.Invoke([.. constructor.GetParameters().Select(parameter => Make(parameter.ParameterType))]);
            if (constructor.GetParameters().Length > 0) return value;
            foreach (var property in type.GetProperties().Where(property => property.CanWrite)) property.SetValue(value, Make(property.PropertyType));
            return value;
        }
    }
}
